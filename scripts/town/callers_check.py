"""What must hold of those who called us: the service's records against what they did and heard.

Whom the rules refused need not be called: when, only they can tell. That nobody is called against the
contract is for `selfcheck`, without them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from rules.calendar import JST
from rules.callback_end import CameTo
from scripts.town.callers import CallIn, Way
from scripts.town.ledger import CarrierCall
from scripts.town.records import CallerRecord, Record
from scripts.town.selfcheck import Check, is_led_to, paired

Refused = Container[tuple[str | None, datetime]]
"""Numbers that the rules did not let us call, each with a moment."""
OPERATOR_VOICE = "operator"
"""What callers hear of an operator, among the sounds."""
WITHIN_S = 2.0
"""From the dialled number to a sound that is heard, or an operator."""
STRANGE_S = 0.2
"""So much that is no sound may be on a line: a click as it is joined."""

_CAME_TO = {
    Way.TALKS: CameTo.TALKED,
    Way.GIVES_UP: CameTo.GAVE_UP,
    Way.ASKS_BACK: CameTo.ASKED_BACK,
    Way.LEAVES_MESSAGE: CameTo.MESSAGE,
    Way.LISTENS: CameTo.GUIDANCE,
}
# what each of them has to hear at least
_HEARS = {
    Way.TALKS: {OPERATOR_VOICE},
    Way.GIVES_UP: {"wait"},
    Way.ASKS_BACK: {"wait", "asked-back"},
    Way.LEAVES_MESSAGE: {"wait", "leave-message", "beep", "message-taken"},
    Way.LISTENS: {"guidance", "next-open"},
}


def who_is_owed_a_call(calls: Iterable[CallIn]) -> set[str]:
    """Numbers of those who called at night, or asked to be called back."""
    owed = {call.caller.number for call in calls if call.caller.way in (Way.LISTENS, Way.ASKS_BACK)}
    return {number for number in owed if number is not None}


def check_callers(
    calls: Sequence[CallIn],
    on_record: Sequence[CallerRecord],
    ours: Sequence[CarrierCall],
    records: Sequence[Record],
    refused: Refused,
    until: datetime,
) -> list[Check]:
    """Every promise to those who call us.

    Args:
        calls: theirs, in the order in which they were dialled.
        ours: as the carrier saw them.
        records: our attempts, in the order in which they were placed.
        refused: of those of `who_is_owed_a_call`, at the moments of our attempts and at `until`.
        until: when the last call was over.
    """
    pairs, strays = _paired(calls, on_record)
    return [
        Check("every call to us is on record, and the other way round", strays),
        Check(
            "it came to what the caller wanted",
            _each(pairs, lambda call, row: row.came_to is not _CAME_TO[call.caller.way]),
        ),
        Check("nobody was connected twice", _each(pairs, lambda _, row: row.talks > 1)),
        Check("callers were served in the order of their arrival", _out_of_order(on_record)),
        Check("every talk with a caller was recorded", _each(pairs, lambda _, row: row.unrecorded)),
        Check(
            f"every caller was taken within {WITHIN_S:.0f} s",
            _each(pairs, lambda call, _: call.picked_up is None or call.rang_s > WITHIN_S),
        ),
        Check(
            "they heard what they should, and no other sounds than those of the list",
            _each(pairs, lambda call, _: not _heard_right(call)),
        ),
        Check(
            "who asked to be called back was called",
            tuple(_not_called_back(calls, ours, records, refused, until)),
        ),
        Check(
            "who called at night was called first",
            tuple(_kept_waiting(calls, ours, records, refused, until)),
        ),
    ]


def check_callers_shown(
    calls: Sequence[CallIn], on_record: Sequence[CallerRecord], town: Iterable[str]
) -> list[Check]:
    """What a demo has to show of them.

    Args:
        town: numbers of the city's file.
    """
    ways = {call.caller.way for call in calls}
    shown = {call.caller.number for call in calls if call.caller.way is Way.TALKS}
    missing = [str(way) for way in Way if way not in ways]
    missing += ["a withheld number"] * (None not in shown)
    missing += ["an unknown number"] * (not shown - {None, *town})
    return [
        Check("callers of every kind called", tuple(missing)),
        Check("several callers waited at once", () if _most_at_once(on_record) > 1 else ("no",)),
    ]


def _paired(
    calls: Sequence[CallIn], on_record: Sequence[CallerRecord]
) -> tuple[list[tuple[CallIn, CallerRecord]], tuple[str, ...]]:
    """Each call with its record, and what has no counterpart."""
    left, pairs, strays = list(on_record), [], []
    for call in calls:
        near = [
            row
            for row in left
            if row.number == call.caller.number and is_led_to(row.arrived_at, call.dialled_at)
        ]
        if near:
            left.remove(near[0])
            pairs.append((call, near[0]))
        else:
            strays.append(f"{_told(call)}: not on record")
    strays += [f"callback {row.id}: nobody called" for row in left]
    return pairs, tuple(strays)


def _each(
    pairs: Iterable[tuple[CallIn, CallerRecord]], is_broken: Callable[[CallIn, CallerRecord], bool]
) -> tuple[str, ...]:
    return tuple(
        f"{_told(call)}: {row.came_to}, {row.talks} talks, taken after {call.rang_s:.2f} s, heard "
        f"{' '.join(call.heard.sounds)} and {call.heard.strange_s:.2f} s of something else"
        for call, row in pairs
        if is_broken(call, row)
    )


def _told(call: CallIn) -> str:
    return f"{call.caller.way} at {call.dialled_at:%m-%d %H:%M:%S}"


def _heard_right(call: CallIn) -> bool:
    heard = call.heard
    return heard.strange_s <= STRANGE_S and set(heard.sounds) >= _HEARS[call.caller.way]


def _out_of_order(on_record: Sequence[CallerRecord]) -> tuple[str, ...]:
    """Those for whom an operator was found while somebody who had arrived earlier waited."""
    in_turn = sorted(on_record, key=lambda row: row.arrived_at)
    return tuple(
        f"callback {later.id}: before {earlier.id}"
        for earlier, later in combinations(in_turn, 2)
        if earlier.waited is not None
        and later.assigned_at is not None
        and earlier.waited[0] < later.assigned_at < (earlier.assigned_at or earlier.waited[1])
    )


def _not_called_back(
    calls: Sequence[CallIn],
    ours: Sequence[CarrierCall],
    records: Sequence[Record],
    refused: Refused,
    until: datetime,
) -> Iterator[str]:
    """Those who asked, were not called within the hour, and could have been."""
    for call in calls:
        if call.caller.way is not Way.ASKS_BACK or call.ended_at is None:
            continue
        number, asked_at = call.caller.number, call.ended_at
        later = [
            one
            for one in ours
            if one.number == number
            and one.answered is not None
            and timedelta(0) < one.invited_at - asked_at < timedelta(hours=1)
        ]
        looks = [*(one.placed_at for one in records if one.placed_at > asked_at), until]
        if not later and any((number, at) not in refused for at in looks):
            yield _told(call)


def _kept_waiting(
    calls: Sequence[CallIn],
    ours: Sequence[CarrierCall],
    records: Sequence[Record],
    refused: Refused,
    until: datetime,
) -> Iterator[str]:
    """Those who called at night and were not called before whoever nothing was owed to.

    Calls are in the order in which they were placed: those placed together leave together, and their
    INVITEs may come in any order.
    """
    invites, _ = paired(records, ours)
    for call in calls:
        number = call.caller.number
        if call.caller.way is not Way.LISTENS or number is None:
            continue
        others, was_called = _until_called(number, call.dialled_at, records, invites)
        passed_over = [
            one.placed_at.astimezone(JST)
            for one in others
            if not one.reserved
            and (number, one.placed_at) not in refused
            and one.number not in _owed(calls, one.placed_at)
        ]
        if passed_over:
            yield f"{_told(call)}: another was called at {passed_over[0]:%m-%d %H:%M:%S}"
        elif not was_called and (number, until) not in refused:
            yield f"{_told(call)}: not called"


def _until_called(
    number: str, since: datetime, records: Sequence[Record], invites: Container[str]
) -> tuple[list[Record], bool]:
    """The calls placed to others before the call to this number, and whether there was one."""
    others: list[Record] = []
    tried_at = None
    for record in records:
        left_the_house = record.attempt_id in invites
        if record.placed_at <= since:
            continue
        if record.number == number and left_the_house:
            return others, True
        if record.number == number:
            tried_at = record.placed_at
        elif left_the_house and record.placed_at != tried_at:  # else placed together, after it
            others.append(record)
    return others, False


def _owed(calls: Iterable[CallIn], at: datetime) -> set[str | None]:
    """Who had called by then, and may have reached nobody."""
    return {
        call.caller.number
        for call in calls
        if call.dialled_at < at and call.caller.way is not Way.TALKS
    }


def _most_at_once(on_record: Iterable[CallerRecord]) -> int:
    """How many waited at the same time."""
    spans = [row.waited for row in on_record if row.waited is not None]
    return max(
        (sum(begin <= at < end for begin, end in spans) for at, _ in spans),
        default=0,
    )
