"""What a call that no operator talked in came to, from how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    HungUp,
    MessageChosen,
    MessageLeft,
    OperatorAssigned,
    OperatorMissed,
    OriginateRefused,
    Rang,
    RingLimitReached,
    SetupLimitReached,
    StopRequested,
    Vanished,
)
from rules.call_outcome import NO_ANSWER_CAUSES, LineOutcome, line_outcome
from rules.call_state import Call, EndedBy, State, apply
from rules.outcome import Recorder
from tests.rules.stories import PROFILE, profile_with
from tests.rules.test_call_state import ATTEMPT, T0, fact_of


@dataclass
class Story:
    """Facts with their seconds since the call was placed; the cause of the last HungUp."""

    facts: list[tuple[float, type]]
    cause: int = 16
    call: Call = field(init=False)

    def __post_init__(self) -> None:
        self.call = Call(attempt=ATTEMPT, placed_at=T0)
        for seconds, kind in self.facts:
            self.call, _ = apply(self.call, fact_of(kind, seconds, cause=self.cause))
        assert self.call.state is State.ENDED


RANG_OUT = [(2, Rang), (38, RingLimitReached), (38.1, HungUp)]
ANSWERED = [(2, Rang), (9, Answered)]
TALKED = [*ANSWERED, (9, OperatorAssigned), (9.1, Connected)]

BY_COURSE = [
    # facts, cause, outcome, to the review list
    (RANG_OUT, 16, "no_answer"),
    # the link was lost while we hung up: nobody saw when the ringing ended
    ([(2, Rang), (38, RingLimitReached), (38.1, Vanished)], 0, "failed"),
    # the network ended it after 35 s of ringing
    ([(2, Rang), (37, HungUp)], 19, "no_answer"),
    ([(2, Rang), (37, HungUp)], 0, "no_answer"),
    # 34.999 s are not 35 s (§8(5)ア), whoever ended it
    ([(2, Rang), (36.999, HungUp)], 19, "failed"),
    ([(2, Rang), (36.999, RingLimitReached), (36.999, HungUp)], 16, "failed"),
    # after 35 s of ringing a cause that says otherwise decides
    ([(2, Rang), (40, HungUp)], 17, "busy"),
    ([(2, Rang), (40, HungUp)], 20, "out_of_reach"),
    # no ringing at all within the allowance
    ([(30, SetupLimitReached), (30.1, HungUp)], 16, "failed"),
    # the first ringing crossed our hanging up
    ([(30, SetupLimitReached), (30.1, Rang), (30.2, HungUp)], 16, "failed"),
    # no INVITE left the house
    ([(0, OriginateRefused)], 0, "failed"),
    ([(2, Rang), (5, OriginateRefused)], 0, "failed"),
    # nobody saw how it ended
    ([(9, Vanished)], 0, "failed"),
    ([(2, Rang), (50, Vanished)], 0, "failed"),
    # stop order, payment, closing
    ([(1, StopRequested), (1.1, HungUp)], 16, "cancelled"),
    ([(2, Rang), (9, StopRequested), (9.1, HungUp)], 16, "cancelled"),
    ([(2, Rang), (40, StopRequested), (40.1, HungUp)], 16, "cancelled"),
    ([*ANSWERED, (9.5, StopRequested), (9.6, HungUp)], 16, "cancelled"),
    # a person answered and went before anybody was there
    ([*ANSWERED, (9.5, HungUp)], 16, "hung_up"),
    ([*ANSWERED, (9.1, OperatorAssigned), (9.2, HungUp)], 16, "hung_up"),
    ([*ANSWERED, (9.1, OperatorAssigned), (9.2, OperatorMissed), (9.3, HungUp)], 16, "hung_up"),
    # a person answered and was let down
    ([*ANSWERED, (11, CourtesyStarted), (20, HungUp)], 16, "abandoned"),
    ([*ANSWERED, (9.5, Vanished)], 0, "abandoned"),
    ([(2, Rang), (38, RingLimitReached), (38, Answered), (38.1, HungUp)], 16, "abandoned"),
    # an answering machine
    (
        [*TALKED, (15, MessageChosen), (30, MessageLeft), (30.1, HungUp)],
        16,
        "voicemail_left",
    ),
    ([*TALKED, (15, MessageChosen), (20, HungUp)], 16, "voicemail_failed"),
    ([*TALKED, (15, MessageChosen), (20, Vanished)], 16, "voicemail_failed"),
    ([*TALKED, (15, MessageChosen), (16, StopRequested), (16, HungUp)], 16, "voicemail_failed"),
]


@pytest.mark.parametrize(("facts", "cause", "outcome"), BY_COURSE)
def test_how_a_call_went_tells_its_outcome(
    facts: list[tuple[float, type]], cause: int, outcome: str
) -> None:
    assert line_outcome(Story(facts, cause).call, PROFILE) == LineOutcome(code=outcome)


UNANSWERED = [(0.5, HungUp)]
ANNOUNCED = [(0.5, EarlyMediaHeard), (8, HungUp)]
RANG_SHORT = [(2, Rang), (9, HungUp)]
RANG_AND_ANNOUNCED = [(2, Rang), (4, EarlyMediaHeard), (9, HungUp)]

BY_CAUSE = [
    # cause, no ringing, an announcement, rang too short, rang and an announcement
    (17, "busy", "busy", "busy", "busy"),
    (1, "out_of_service", "out_of_service", "out_of_service", "out_of_service"),
    (22, "out_of_service", "out_of_service", "out_of_service", "out_of_service"),
    (20, "out_of_reach", "out_of_reach", "out_of_reach", "out_of_reach"),
    (21, "?", "temporarily_unavailable", "busy", "?"),
    (3, "failed", "failed", "failed", "failed"),
    (34, "failed", "failed", "failed", "failed"),
    (38, "failed", "failed", "failed", "failed"),
    (102, "failed", "failed", "failed", "failed"),
    (16, "?", "temporarily_unavailable", "failed", "?"),
    (18, "?", "temporarily_unavailable", "failed", "?"),
    (19, "?", "temporarily_unavailable", "failed", "?"),
    (31, "?", "temporarily_unavailable", "?", "?"),
    (127, "?", "?", "failed", "?"),
    (0, "?", "?", "failed", "?"),
    (99, "?", "?", "?", "?"),
]


@pytest.mark.parametrize(("cause", "silent", "announced", "rang", "both"), BY_CAUSE)
def test_the_profiles_table_of_causes_decides_and_what_is_unclear_is_looked_at(
    cause: int, silent: str, announced: str, rang: str, both: str
) -> None:
    courses = zip(
        (UNANSWERED, ANNOUNCED, RANG_SHORT, RANG_AND_ANNOUNCED),
        (silent, announced, rang, both),
        strict=True,
    )
    for facts, expected in courses:
        unclear = expected == "?"
        outcome = line_outcome(Story(list(facts), cause).call, PROFILE)
        assert outcome == LineOutcome(code="failed" if unclear else expected, review=unclear)


def test_a_talk_is_the_operators_to_record() -> None:
    for end in (HungUp, Vanished):
        assert line_outcome(Story([*TALKED, (60, end)]).call, PROFILE) is None


def test_how_long_it_has_to_ring_is_the_contracts_to_say() -> None:
    call = Story([(2, Rang), (32, HungUp)], cause=19).call
    assert line_outcome(call, PROFILE) == LineOutcome(code="failed")
    assert line_outcome(call, profile_with(ring_min_s=30)) == LineOutcome(code="no_answer")


def test_a_call_that_never_rang_is_not_unanswered_however_little_ringing_is_asked_for() -> None:
    call = Story(UNANSWERED, cause=19).call
    assert line_outcome(call, profile_with(ring_min_s=1)) == LineOutcome(code="failed", review=True)


moments = st.floats(0, 120)


@given(
    st.builds(
        Call,
        attempt=st.just(ATTEMPT),
        placed_at=st.just(T0),
        state=st.just(State.ENDED),
        rang_at=st.none() | moments.map(lambda s: T0 + timedelta(seconds=s)),
        answered_at=st.none() | moments.map(lambda s: T0 + timedelta(seconds=120 + s)),
        ended_at=moments.map(lambda s: T0 + timedelta(seconds=240 + s)),
        early_media=st.booleans(),
        courtesy=st.booleans(),
        message_chosen=st.booleans(),
        message_left=st.booleans(),
        ended_by=st.none() | st.sampled_from(EndedBy),
        cause=st.none() | st.integers(0, 127),
    )
)
def test_every_call_without_a_talk_has_an_outcome_the_line_may_tell(call: Call) -> None:
    outcome = line_outcome(call, PROFILE)
    assert outcome is not None
    assert Recorder.LINE in PROFILE.outcomes[outcome.code].by
    if outcome.code == "no_answer":
        assert call.answered_at is None
        assert (call.ring_s() or 0) >= PROFILE.ring_min_s
        assert call.ended_by is not None or (call.cause or 0) in NO_ANSWER_CAUSES
