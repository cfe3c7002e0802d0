"""What must hold after a demo: the service's records against the carrier's ledger.

The checks use nothing of the dialer's rules: hours and ring length stand here once more, from the
contract, so that an error in a rule cannot hide itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise

from scripts.town.ledger import CarrierCall
from scripts.town.people import Kind
from scripts.town.records import Record

RING_S = 35.0
"""§8(5)ア."""
OPENS, CLOSES, CLOSES_NON_WEEKDAY = time(9), time(20), time(17)
"""§6(2)イ."""
SAME_CALL_S = 10.0
"""The INVITE that an attempt led to comes within this time after it: the service itself may take 5 s from the
decision, on a busy machine, and calls nobody later."""
PATIENCE_S = 2.0
COURTESY_S = 5.0
"""Whoever finds no operator within the patience hears at least so much of a message, unless they hang up."""
ABANDONED = "abandoned"
NEVER_LEFT = {"failed", "cancelled"}
"""Outcomes of attempts that may have led to no INVITE."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise and what broke it. No numbers or names: it is printed."""

    promise: str
    broken: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Nothing broke it."""
        return not self.broken


def check_all(
    records: Sequence[Record],
    calls: Sequence[CarrierCall],
    *,
    called_twice_at_once: int,
    caller_ids: Iterable[str],
    is_non_weekday: Callable[[datetime], bool],
) -> list[Check]:
    """Every invariant of a calling day."""
    invites, strays = paired(records, calls)
    pool = set(caller_ids)
    return [
        Check("every attempt has exactly one outcome", _without_one_outcome(records)),
        Check(
            "every call at the carrier is one attempt, and the other way round",
            (*strays, *_without_invite(records, invites)),
        ),
        Check(
            "nobody was called twice at once",
            (
                *(f"{called_twice_at_once} calls to a number in a call",)
                * (called_twice_at_once > 0),
                *_overlapping(records, invites),
            ),
        ),
        Check("nothing rang outside the hours", _outside_hours(calls, is_non_weekday)),
        Check(f"every no_answer rang for {RING_S:.0f} s or more", _cut_short(records, invites)),
        Check("whoever found no operator heard the courtesy message", _unheard(records, invites)),
        Check(
            "and was called again, if at all, with an operator held for them", _let_down(records)
        ),
        Check(
            "the caller ID was always presented",
            tuple(
                f"call at {call.invited_at:%m-%d %H:%M:%S}: not a number of the pool"
                for call in calls
                if call.caller_id not in pool
            ),
        ),
    ]


def check_shown(
    calls: Sequence[CarrierCall],
    kinds: Iterable[Kind],
    is_non_weekday: Callable[[datetime], bool],
) -> list[Check]:
    """What a demo has to show, not only keep."""
    met = {call.kind for call in calls}
    days = defaultdict(set)
    for call in calls:
        days[call.number].add(call.invited_at.date())
    return [
        Check(
            "every behaviour of the town occurred",
            tuple(str(kind) for kind in sorted(set(kinds)) if kind not in met),
        ),
        Check(
            "a third attempt was made",
            () if any(len(dates) >= 3 for dates in days.values()) else ("none",),
        ),
        Check(
            "somebody was called on a non-weekday",
            () if any(is_non_weekday(call.invited_at) for call in calls) else ("nobody",),
        ),
    ]


def _without_one_outcome(records: Sequence[Record]) -> tuple[str, ...]:
    return tuple(
        f"attempt {record.attempt_id}: {record.outcomes} outcomes"
        for record in records
        if record.outcomes != 1
    )


def is_led_to(led: datetime, by: datetime) -> bool:
    """Whether what began at one moment may be what another led to, on the same clock."""
    return timedelta(0) <= led - by < timedelta(seconds=SAME_CALL_S)


def paired(
    records: Sequence[Record], calls: Sequence[CarrierCall]
) -> tuple[dict[str, CarrierCall], tuple[str, ...]]:
    """The INVITE of each attempt, and the INVITEs that belong to none."""
    open_records = defaultdict(list)
    for record in records:
        open_records[record.number].append(record)
    invites, strays = {}, []
    for call in calls:
        near = [
            record
            for record in open_records[call.number]
            if is_led_to(call.invited_at, record.placed_at)
        ]
        if near:
            open_records[call.number].remove(near[-1])
            invites[near[-1].attempt_id] = call
        else:
            strays.append(f"call at {call.invited_at:%m-%d %H:%M:%S}: no attempt of its own")
    return invites, tuple(strays)


def _without_invite(records: Sequence[Record], invites: dict[str, CarrierCall]) -> tuple[str, ...]:
    return tuple(
        f"attempt {record.attempt_id}: the carrier saw no call"
        for record in records
        if record.attempt_id not in invites
        and (record.result is None or record.result.outcome not in NEVER_LEFT)
    )


def _overlapping(records: Sequence[Record], invites: dict[str, CarrierCall]) -> tuple[str, ...]:
    """Calls to two telephones of one case at once."""
    calls_of = defaultdict(list)
    for record in records:
        if record.attempt_id in invites:
            calls_of[record.case_id].append(invites[record.attempt_id])
    broken = []
    for calls in calls_of.values():
        calls.sort(key=lambda call: call.invited)
        for earlier, later in pairwise(calls):
            if earlier.ended is None or later.invited < earlier.ended:
                broken.append(f"call at {later.invited_at:%m-%d %H:%M:%S}: to a case in a call")
    return tuple(broken)


def _outside_hours(
    calls: Sequence[CarrierCall], is_non_weekday: Callable[[datetime], bool]
) -> tuple[str, ...]:
    broken = []
    for call in calls:
        begun, until = call.invited_at, call.rang_until_at or call.invited_at
        closes = CLOSES_NON_WEEKDAY if is_non_weekday(begun) else CLOSES
        if begun.date() != until.date() or begun.time() < OPENS or until.time() > closes:
            broken.append(f"rang from {begun:%m-%d %H:%M:%S} to {until:%H:%M:%S}")
    return tuple(broken)


def _cut_short(records: Sequence[Record], invites: dict[str, CarrierCall]) -> tuple[str, ...]:
    return tuple(
        f"attempt {record.attempt_id}: rang {invites[record.attempt_id].ring_s:.2f} s"
        for record in records
        if record.result is not None
        and record.result.outcome == "no_answer"
        and record.attempt_id in invites
        and invites[record.attempt_id].ring_s < RING_S
    )


def _unheard(records: Sequence[Record], invites: dict[str, CarrierCall]) -> tuple[str, ...]:
    """Abandoned persons from whom the line was taken before the message."""
    broken = []
    for record in records:
        call = invites.get(record.attempt_id)
        if call is None or not _was_abandoned(record):
            continue
        held_s = call.held_s
        if not call.hung_up and held_s < PATIENCE_S + COURTESY_S:
            broken.append(f"attempt {record.attempt_id}: held for {held_s:.2f} s")
    return tuple(broken)


def _let_down(records: Sequence[Record]) -> tuple[str, ...]:
    """Calls after an abandoned one for which nobody was held, or that were abandoned too."""
    of_phone = defaultdict(list)
    for record in sorted(records, key=lambda record: record.placed_at):
        of_phone[record.case_id, record.number].append(record)
    return tuple(
        f"attempt {later.attempt_id}: nobody was held for it"
        if not later.reserved
        else f"attempt {later.attempt_id}: abandoned again"
        for calls in of_phone.values()
        for earlier, later in pairwise(calls)
        if _was_abandoned(earlier) and (not later.reserved or _was_abandoned(later))
    )


def _was_abandoned(record: Record) -> bool:
    return record.result is not None and record.result.outcome == ABANDONED
