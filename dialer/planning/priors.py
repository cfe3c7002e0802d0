"""What is believed of answering before the first own call: numbers as data.

Sources, and which numbers are read from them and which are our own reading: docs/answer-rates.md.
"""

from __future__ import annotations

from datetime import time

from rules.case import PhoneKind
from rules.profile import Band

PARTS_OF_DAY = ((0, 12), (12, 17), (17, 24))
"""Hours of Japan time at which the columns of `FIRST_CALL` begin and end."""

FIRST_CALL = {
    # kind of phone, non-weekday: contact on a phone's first counted attempt until 12, until 17, later
    (PhoneKind.FIXED, False): (0.20, 0.18, 0.28),
    (PhoneKind.FIXED, True): (0.32, 0.30, 0.33),
    (PhoneKind.MOBILE, False): (0.18, 0.18, 0.22),
    (PhoneKind.MOBILE, True): (0.24, 0.24, 0.24),
    (PhoneKind.IP, False): (0.17, 0.16, 0.22),
    (PhoneKind.IP, True): (0.25, 0.24, 0.25),
}

LATER_CALL_ODDS = (1.0, 0.65, 0.42)
"""Odds of a contact on the first, second, third or later counted attempt, against the first."""

LEVEL_SD = 0.5
"""How far all rates together may be off, in logits: city, month, arrears are not surveys."""
EFFECT_SD = 0.2
"""The same for all cells of one band, one kind of day, one kind of phone, one ordinal."""
CELL_SD = 0.2
"""The same for a single cell."""

END_SHARE = 0.65
"""Share of contacts that end the case: script finished or refused."""
END_STRENGTH = 20.0
"""Contacts this belief is worth."""
CLOSED_SHARE = 0.07
"""Share of attempts without contact that close the phone: out of service, wrong number, fax."""
CLOSED_STRENGTH = 50.0
"""Attempts without contact this belief is worth."""

SETUP_S = 6.0
"""Seconds from originating to the first ringing; not learned, the sums do not hold it."""
RING_CONTACT_S = 13.0
"""Seconds of ringing of a call that becomes a contact."""
RING_OTHER_S = 28.0
"""Seconds of ringing of one that does not: most ring out, some are voicemail or not in service."""
HANDLING_CONTACT_S = 270.0
"""Seconds of talk and after-call work of a contact."""
HANDLING_OTHER_S = 15.0
"""The same of an attempt without contact, those nobody answered included."""
SECONDS_STRENGTH = 50.0
"""Attempts which the beliefs on seconds are worth."""

EARLIER_WEIGHT = 0.3
"""What an attempt of an earlier month is worth against one of this month."""
EARLIER_MOST = 150.0
"""Attempts of this month which all earlier months together are worth at most, a cell."""


def first_call(band: Band, *, non_weekday: bool, kind: PhoneKind) -> float:
    """Contact on a phone's first attempt in a band, by how much of it lies in which part of day."""
    begin, end = _hours(band.starts), _hours(band.ends)
    shares = [max(0.0, min(end, last) - max(begin, first)) for first, last in PARTS_OF_DAY]
    rates = FIRST_CALL[kind, non_weekday]
    return sum(s * r for s, r in zip(shares, rates, strict=True)) / sum(shares)


def _hours(clock: time) -> float:
    return clock.hour + clock.minute / 60 + clock.second / 3600
