"""When a person wishes to be called, as the city noted it (備考): a preference of the plan, no rule."""

from __future__ import annotations

from dataclasses import dataclass

from rules.profile import Profile


@dataclass(frozen=True)
class Wish:
    """What was wished; never both nothing."""

    bands: frozenset[str]
    """Names of the bands (時間帯) wished; empty: any."""
    non_weekday: bool | None
    """True: non-weekdays, False: weekdays, None: any day."""


def wish_of(note: str, profile: Profile) -> Wish | None:
    """The wish in the city's note by `Profile.wishes`; None: it tells of none (rule 15).

    Several wishes add up; a note that wishes both kinds of day wishes neither.
    """
    # spaces are set as the city pleases, also within a word
    written = "".join(note.split())
    found = [rule for rule in profile.wishes if any(word in written for word in rule.words)]
    bands = frozenset(band for rule in found for band in rule.bands)
    days = {rule.non_weekday for rule in found if rule.non_weekday is not None}
    non_weekday = days.pop() if len(days) == 1 else None
    if not bands and non_weekday is None:
        return None
    return Wish(bands=bands, non_weekday=non_weekday)
