"""What is learned of calls: who answered, after how long, and how long it kept the operator."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from db.session import Sessions
from dialer.calls import Expectation
from dialer.estimating import BEFOREHAND, Estimating
from dialer.who_answered import PERSON_AFTER_S
from rules.call_events import Answered, Connected, CourtesyStarted, HungUp, MessageLeft, Rang
from rules.pacing.estimates import Estimates, LogNormal, Truth
from tests.dialer.test_calls import T0, Floor
from tests.rules.stories import PROFILE

RING_S, TALK_S, WORK_S = 12.0, 150.0, 30.0


class Watched(Floor):
    """A floor whose calls are learned from."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        super().__init__(T0)
        months = SimpleNamespace(profile=lambda _campaign: PROFILE)
        self.estimating = Estimating(self.clock, sessions, self.seats, months, self.metrics)
        self.calls.watchers = [self.estimating]
        self.sit("201")

    @property
    def now(self) -> Estimates:
        return self.estimating.estimates

    async def ring(self, own_chance: float | None = 0.4) -> None:
        """A call is placed and rings."""
        self.place()
        self.calls.line("a").expected = Expectation(
            own_chance=own_chance, chance=0.4, miss=0.01, free=2.5
        )
        await self.tell(Rang)
        self.clock.move(RING_S)

    async def talk(self, seconds: float = TALK_S, own_chance: float | None = 0.4) -> None:
        """It is answered, and talked in for so long; the operator owes the result."""
        await self.ring(own_chance)
        await self.tell(Answered, Connected)
        self.clock.move(seconds)
        await self.tell(HungUp)

    def save(self, outcome: str, after_s: float = WORK_S) -> None:
        """The operator saves the result."""
        self.clock.move(after_s)
        line = self.calls.line("a")
        self.calls.told(line, outcome)
        self.calls.settled("a")

    def metric(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(f"yobirin_pacing_{name}_total")


@pytest.fixture
async def floor() -> Watched:
    return Watched()


def seen(belief: LogNormal, seconds: float) -> LogNormal:
    """The belief after this observation, as far as a clock's rounding goes."""
    return pytest.approx(belief.seen(seconds).mu, abs=1e-6)


async def test_a_talk_teaches_ringing_talk_and_after_call_work(floor: Watched) -> None:
    await floor.talk()
    floor.save("person_done")
    assert floor.now.ring.mu == seen(BEFOREHAND.ring, RING_S)
    assert floor.now.talk.mu == seen(BEFOREHAND.talk, TALK_S)
    assert floor.now.after_call.mu == seen(BEFOREHAND.after_call, WORK_S)
    assert floor.now.truth == Truth().seen(0.4, answered=True)
    assert floor.now.chance == BEFOREHAND.chance.seen(True)
    assert (floor.now.machine, floor.now.machine_talk) == (
        BEFOREHAND.machine,
        BEFOREHAND.machine_talk,
    )
    assert floor.metric("answers") == 1


async def test_a_phone_of_which_nothing_was_known_teaches_the_common_chance(floor: Watched) -> None:
    await floor.talk(own_chance=None)
    floor.save("person_done")
    assert floor.now.chance == BEFOREHAND.chance.seen(True)
    assert floor.now.truth == Truth()


UNANSWERED = [
    # Q.850 cause of the end, seconds of ringing before it; whether it says something of the phone
    (19, 36.0, True),
    (17, 1.0, True),  # busy
    (1, 0.0, True),  # out of service
    (41, 1.0, False),  # the network failed
]


@pytest.mark.parametrize(("cause", "ring_s", "tells"), UNANSWERED)
async def test_nobody_answered(floor: Watched, cause: int, ring_s: float, tells: bool) -> None:
    await floor.ring()
    floor.clock.move(ring_s)
    await floor.tell(HungUp, cause=cause)
    if tells:
        assert floor.now.truth == Truth().seen(0.4, answered=False)
        assert floor.now.machine == BEFOREHAND.machine.seen(False)
    else:
        assert floor.now == BEFOREHAND
    assert floor.metric("answers") == 0


async def test_a_call_that_we_stopped_teaches_nothing(floor: Watched) -> None:
    await floor.ring()
    floor.calls.stop_all()
    await floor.tell(HungUp)
    assert floor.ledger.outcomes() == ["cancelled"]
    assert floor.now == BEFOREHAND


async def test_a_machine_that_gets_the_message_is_known_at_once_and_kept_the_operator_shortly(
    floor: Watched,
) -> None:
    await floor.ring()
    await floor.tell(Answered, Connected)
    floor.clock.move(6.0)
    floor.calls.leave_message("a")
    machine = BEFOREHAND.machine.seen(True)
    assert floor.now.machine == machine
    assert floor.now.machine_ring.mu == seen(BEFOREHAND.machine_ring, RING_S)
    assert floor.now.machine_talk.mu == seen(BEFOREHAND.machine_talk, 6.0)
    assert floor.now.truth == Truth().seen(0.4, answered=False)
    learned = floor.now
    floor.clock.move(40.0)
    await floor.tell(MessageLeft, HungUp)
    assert floor.ledger.outcomes() == ["voicemail_left"]
    assert floor.now == learned  # and nothing of it twice
    assert floor.metric("answers") == 0


async def test_a_machine_that_the_operator_records_kept_them_until_the_result(
    floor: Watched,
) -> None:
    await floor.talk(seconds=8.0)
    floor.save("voicemail_failed", after_s=4.0)
    assert floor.now.machine == BEFOREHAND.machine.seen(True)
    assert floor.now.machine_talk.mu == seen(BEFOREHAND.machine_talk, 12.0)
    assert (floor.now.talk, floor.now.after_call) == (BEFOREHAND.talk, BEFOREHAND.after_call)
    assert floor.now.ring == BEFOREHAND.ring


async def test_whoever_is_talked_to_for_long_is_a_person_before_the_result_is_there(
    floor: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.estimating.PERSON_AFTER_S", 0.01)
    await floor.ring()
    await floor.tell(Answered, Connected)
    assert floor.now == BEFOREHAND
    async with asyncio.timeout(30):
        while floor.now == BEFOREHAND:
            await asyncio.sleep(0.01)
    assert floor.now.truth == Truth().seen(0.4, answered=True)
    floor.clock.move(TALK_S)
    await floor.tell(HungUp)
    floor.save("hung_up")
    assert floor.now.truth == Truth().seen(0.4, answered=True)
    assert floor.now.talk.mu == seen(BEFOREHAND.talk, TALK_S)
    assert floor.metric("answers") == 1


async def test_an_abandoned_person_has_answered_but_took_no_operators_time(floor: Watched) -> None:
    floor.sit()  # nobody
    await floor.ring()
    await floor.tell(Answered, CourtesyStarted, HungUp)
    assert floor.ledger.outcomes() == ["abandoned"]
    assert floor.now.truth == Truth().seen(0.4, answered=True)
    assert floor.now.ring.mu == seen(BEFOREHAND.ring, RING_S)
    assert floor.now.talk == BEFOREHAND.talk


async def test_a_result_saved_after_the_limit_tells_nothing_of_the_work(floor: Watched) -> None:
    await floor.talk()
    floor.save("person_done", after_s=PROFILE.after_call_limit_s + 1.0)
    assert floor.now.after_call == BEFOREHAND.after_call
    assert floor.now.talk.mu == seen(BEFOREHAND.talk, TALK_S)


async def test_a_call_taken_up_after_a_start_teaches_times_but_no_chance(floor: Watched) -> None:
    await floor.ring()
    floor.calls.line("a").expected = None
    await floor.tell(Answered, Connected)
    floor.clock.move(TALK_S)
    await floor.tell(HungUp)
    floor.save("person_done")
    assert (floor.now.truth, floor.now.chance) == (Truth(), BEFOREHAND.chance)
    assert floor.now.talk.mu == seen(BEFOREHAND.talk, TALK_S)


async def test_operators_free_at_an_answer_are_held_against_what_was_expected(
    floor: Watched,
) -> None:
    floor.sit("201", "202", "203")
    await floor.ring()
    await floor.tell(Answered, Connected)
    assert (floor.metric("free_expected"), floor.metric("free_found")) == (2.5, 3)


async def test_what_was_learned_outlives_the_service(sessions: Sessions) -> None:
    before = Watched(sessions)
    await before.estimating.load()
    assert before.now == BEFOREHAND
    await before.talk()
    before.save("person_done")
    assert before.now != BEFOREHAND
    await before.estimating.keep()
    after = Watched(sessions)
    await after.estimating.load()
    assert after.now == before.now


def test_a_machine_is_noticed_sooner_than_a_person_is_taken_for_granted() -> None:
    assert BEFOREHAND.machine_talk.mean_s * 2 < PERSON_AFTER_S
    assert BEFOREHAND.machine.weight > 0  # nothing keeps machines from operators
