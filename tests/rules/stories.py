"""What the tests of the rules share: the shipped profile, a month, and short ways to write facts."""

from __future__ import annotations

from datetime import date, datetime
from importlib.resources import files

from rules.calendar import JST, Calendar
from rules.case import AttemptMade, CallbackTaken, Case, Phone, PhoneKind, Result, Scope
from rules.profile import Profile, with_overrides
from rules.profile_file import parse_profile

PROFILE_TEXT = (files("rules") / "profiles" / "nagaoka-r8.yaml").read_text(encoding="utf-8")
PROFILE = parse_profile(PROFILE_TEXT, "nagaoka-r8")

# Fri 20 – Mon 30 November 2026; Monday the 23rd is a public holiday, the 27th taken out by the city
NOVEMBER = Calendar(
    period_from=date(2026, 11, 20),
    period_to=date(2026, 11, 30),
    excluded=frozenset({date(2026, 11, 27)}),
    holidays=frozenset({date(2026, 11, 23)}),
)
ONE_PHONE = Case(id="A", phones=(Phone(id="a1", kind=PhoneKind.FIXED),))
TWO_PHONES = Case(
    id="A",
    phones=(Phone(id="a1", kind=PhoneKind.FIXED), Phone(id="a2", kind=PhoneKind.MOBILE)),
)


def at(text: str) -> datetime:
    """A moment of November 2026: "20 10:00" or "20 10:00:05"."""
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=JST)


def changed(old: str, new: str, text: str = PROFILE_TEXT) -> str:
    """The shipped profile's text, or another, with one place changed."""
    assert text.count(old) == 1, "the test must change exactly one place"
    return text.replace(old, new)


def profile_with(**overrides: object) -> Profile:
    """The shipped profile with single values set."""
    return with_overrides(PROFILE, overrides)


def attempt(
    when: str,
    outcome: str = "no_answer",
    phone: str = "a1",
    *,
    appointment: str | None = None,
    ring_s: float | None = 36,
    scope: Scope | None = None,
    **marks: bool,
) -> AttemptMade:
    """An attempt of November 2026."""
    result = _result(outcome, appointment, scope, marks)
    return AttemptMade(at=at(when), phone=phone, result=result, ring_s=ring_s)


def callback(
    when: str,
    outcome: str,
    *,
    appointment: str | None = None,
    scope: Scope | None = None,
    **marks: bool,
) -> CallbackTaken:
    """A callback of November 2026."""
    return CallbackTaken(at=at(when), result=_result(outcome, appointment, scope, marks))


def _result(
    outcome: str, appointment: str | None, scope: Scope | None, marks: dict[str, bool]
) -> Result:
    learned = at(appointment) if appointment else None
    return Result(outcome=outcome, appointment=learned, scope=scope, **marks)
