"""Predictive pacing on a real Asterisk: does it do what its simulator and the service itself say?

    .venv/bin/python -m scripts.bench.live_pacing [--operators 10] [--answers 500] [--cap 0.03]
        [--plot FILE.svg]

The town's carrier has people who answer, or reject the call, as lots are drawn; operators are robots at their
screens. All times are shortened, so that a day of some 500 answers takes eight minutes: the service's clock
begins so long before the last call of a day. Afterwards the same day is simulated 40 times. Exit status 0:
utilisation, abandoned share and answers measured agree with those simulated, and with what the service
predicted call by call: their 95 % intervals overlap.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from matplotlib.figure import Figure
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from db import pacing, seat_changes
from db.campaigns import CampaignState
from db.tables import Attempt, AttemptChange, ResultRow
from dialer.calendar import campaign_calendar
from dialer.clock import JumpClock
from dialer.estimating import estimates_of, numbers_of
from dialer.pacing_view import terms_of
from dialer.profiles import load_profile, read_profile
from dialer.simulation.day import Day, run_day
from dialer.simulation.rivals import ours
from dialer.simulation.table import mean_of
from dialer.simulation.worlds import World
from rules.call_state import State
from rules.hours import opening_of
from rules.pacing.estimates import Estimates, LogNormal, Share
from rules.profile import Profile, shares_of
from scripts.bench.centre import NOW, PERIOD, PROFILE, Centre, centre
from scripts.bench.figures import machine
from scripts.bench.live_figures import Attempted, Interval, Recorded, quantile
from scripts.bench.load import everything_ended
from scripts.town.carrier import Carrier, Exchange
from scripts.town.people import Behaviour, Heard, Kind, Line
from scripts.town.rehearsal import going_on
from scripts.town.robots import Manner, Robot, screen
from scripts.town.softphones import Softphones

CHANCE = 0.35
RING, TALK, AFTER_CALL = (3.0, 0.5), (6.0, 0.8), (1.5, 0.5)
"""Mean in seconds and coefficient of variation, log-normal."""
REJECTED_S = 9.0
"""After so long whoever does not answer rejects the call: about as late as it is known of another call that
a person answered (at the talk's result), so that the one is not learned before the other."""
BELIEF_WEIGHT = 20.0
"""What is believed beforehand is right, and weighs as little as before a first call."""
USE = 0.78
"""Share of the time operators are at least expected to work."""
SET_UP_S = 40.0
"""So long before the first call the service's clock begins."""
SIMULATED_DAYS = 40
SEED = 1


class Callees:
    """Whoever is called: lots decide whether they answer, and when."""

    kinds: Mapping[str, Kind] = {}

    def behaviour(self, number: str, moment: datetime, nth_call: int) -> Behaviour:
        """What happens to a call (`scripts.town.people.People`)."""
        chance = random.Random(f"{SEED} {number} {nth_call}")
        if chance.random() >= CHANCE:
            return Behaviour(line=Line.BUSY, first_ring_s=REJECTED_S)
        return Behaviour(
            line=Line.RINGS, first_ring_s=0.0, pickup_s=_drawn(*RING, chance), heard=Heard.PERSON
        )


def believed() -> Estimates:
    """What the service believes beforehand."""
    return Estimates(
        chance=Share(CHANCE, BELIEF_WEIGHT),
        ring=LogNormal.of(*RING, BELIEF_WEIGHT),
        talk=LogNormal.of(*TALK, BELIEF_WEIGHT),
        after_call=LogNormal.of(*AFTER_CALL, BELIEF_WEIGHT),
        machine=Share(0.0, BELIEF_WEIGHT),
    )


def _drawn(mean_s: float, cv: float, chance: random.Random) -> float:
    of = LogNormal.of(mean_s, cv, 0)
    return chance.lognormvariate(of.mu, of.var**0.5)


# live ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """What is measured live."""

    recorded: Recorded
    metrics: Mapping[str, float]
    """The service's own, in the end."""
    profile: Profile


async def measure(operators: int, answers: int, cap: float) -> Live:
    """Call for so long that so many answers are to be expected."""
    length_s = answers * (TALK[0] + AFTER_CALL[0]) / (operators * USE)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = _profile_file(folder, cap)
        profile = load_profile(str(file), NOW.date())
        made = await stack.enter_async_context(centre(operators, profile=str(file)))
        ends = opening_of(
            NOW.date(), campaign_calendar(*PERIOD, frozenset(), profile), profile
        ).last_originate
        begins = ends - timedelta(seconds=length_s)
        await made.add_cases([f"0258{n:06}" for n in range(int(1.5 * answers / CHANCE))])
        async with made.sessions.write() as session:
            await pacing.keep_beliefs(session, numbers_of(believed()), begins)
        clock_begins = begins - timedelta(seconds=SET_UP_S)
        with made.dialer("--screens", "--at", clock_begins.isoformat()):
            metrics = await _call(made, JumpClock(clock_begins), begins, ends)
        recorded = await _recorded(made, begins, ends)
    return Live(recorded=recorded, metrics=metrics, profile=profile)


def _profile_file(folder: Path, cap: float) -> Path:
    """The profile that ships, with another cap."""
    text, found = re.subn(
        r"(\n  abandon_cap:.*\n(?: *#.*\n)* *- \{from: [^,]+, value: )[\d.]+",
        rf"\g<1>{cap}",
        read_profile(PROFILE).text,
    )
    assert found == 1
    file = folder / f"{PROFILE}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


async def _call(
    made: Centre, clock: JumpClock, begins: datetime, ends: datetime
) -> Mapping[str, float]:
    """Everybody at their places; call from the beginning to the end; the service's metrics."""
    settings = made.settings
    exchange = Exchange(
        host=settings.asterisk.bind,
        sip_port=settings.asterisk.sip_port,
        secrets=made.secrets.sip,
    )
    softphones = Softphones(settings.operators.extensions())
    carrier = Carrier(Callees(), clock.now, made.folder / "carrier", settings.trunk.port, exchange)
    carrier.serve("operator", softphones.on_pickup)
    manner = Manner(
        talk_s=partial(_drawn, *TALK), after_call_s=partial(_drawn, *AFTER_CALL), pause_share=0.0
    )
    base = f"http://127.0.0.1:{settings.http.port}"
    async with carrier, AsyncExitStack() as screens:
        robots = [
            Robot(
                # the bench's tokens are the extensions
                await screens.enter_async_context(screen(base, extension)),
                softphone, carrier.ledger.heard, SEED, manner,
            )
            for extension, softphone in softphones.by_extension.items()
        ]  # fmt: skip
        jobs = [softphones.stay_logged_in(carrier.asterisk), *(robot.work() for robot in robots)]
        async with going_on(jobs), httpx.AsyncClient(base_url=base, trust_env=False) as http:
            await made.operators_ready()
            await _until(http, begins)
            await made.set_campaign(CampaignState.RUNNING)
            await _until(http, ends)
            await everything_ended(made)
            return _values((await http.get("/metrics")).text)


async def _until(http: httpx.AsyncClient, moment: datetime) -> None:
    """Wait for a moment of the service's clock."""
    now = datetime.fromisoformat((await http.get("/api/status")).raise_for_status().json()["now"])
    if now > moment + timedelta(seconds=1):
        raise TimeoutError("setting up took too long")
    await asyncio.sleep((moment - now).total_seconds())


def _values(text: str) -> dict[str, float]:
    """Metrics without labels, by name."""
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


async def _recorded(made: Centre, begins: datetime, ends: datetime) -> Recorded:
    """From the service's database, when it has ended."""
    entered: dict[str, dict[str, datetime]] = {}
    async with made.sessions.read() as session:
        for change in await session.scalars(select(AttemptChange)):
            entered.setdefault(change.attempt_id, {}).setdefault(change.state, change.at)
        results = await session.execute(select(ResultRow.attempt_id, ResultRow.outcome))
        outcomes = {row.attempt_id: row.outcome for row in results}
        attempts = [
            Attempted(
                placed_at=row.placed_at,
                chance=row.chance or 0.0,
                miss=row.miss or 0.0,
                answered_at=entered[row.id].get(State.WAITING.value),
                connected_at=entered[row.id].get(State.TALKING.value),
                outcome=outcomes.get(row.id),
            )
            for row in await session.scalars(select(Attempt).order_by(Attempt.placed_at))
        ]
        return Recorded(
            begins=begins,
            ends=ends,
            operators=len(made.settings.operators.extensions()),
            attempts=attempts,
            moves=await seat_changes.between(session, begins, ends),
            estimates=estimates_of(await pacing.beliefs(session)),
        )


# simulated ----------------------------------------------------------------------------------------


def world_of(live: Live) -> World:
    """The same day for the simulator."""
    return World(
        operators=live.recorded.operators,
        hours=live.recorded.length_s / 3600,
        chance=CHANCE,
        machine=0.0,
        busy=1.0,
        busy_s=REJECTED_S,
        ring=LogNormal.of(*RING, 0),
        talk=LogNormal.of(*TALK, 0),
        after_call=LogNormal.of(*AFTER_CALL, 0),
        script=shares_of(live.profile.script),
        terms=terms_of(live.profile),
        priors=believed(),
    )


def simulated(world: World) -> list[Day]:
    """Days of other lots."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(_day, world), range(SIMULATED_DAYS)))


def _day(world: World, seed: int) -> Day:
    return run_day(world, seed, ours)


# told ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure, three ways."""

    name: str
    measured: Interval
    simulated: Interval
    predicted: Interval

    @property
    def agrees(self) -> bool:
        """Whether what was measured may be what was simulated, and what was predicted."""
        return self.measured.overlaps(self.simulated) and self.measured.overlaps(self.predicted)


def rows_of(recorded: Recorded, days: list[Day]) -> list[Row]:
    """The figures that have to agree."""
    minutes = recorded.length_s / 60
    utilisation = mean_of([day.utilisation for day in days])
    abandoned = mean_of([day.abandoned_share for day in days])
    answers = mean_of([day.persons_answered / minutes for day in days])
    return [
        Row(
            name="utilisation, %",
            measured=recorded.utilisation().scaled(100),
            simulated=Interval.of(utilisation).scaled(100),
            predicted=recorded.predicted_utilisation().scaled(100),
        ),
        Row(
            name="abandoned, %",
            measured=recorded.abandoned_share().scaled(100),
            simulated=Interval.of(abandoned).scaled(100),
            predicted=recorded.predicted_abandoned_share().scaled(100),
        ),
        Row(
            name="answers a minute",
            measured=recorded.answers_a_minute(),
            simulated=Interval.of(answers),
            predicted=recorded.predicted_answers_a_minute(),
        ),
    ]


def tell(live: Live, rows: list[Row]) -> None:
    """Print the table and what belongs to it."""
    recorded, metrics = live.recorded, live.metrics
    table = Table("95 % intervals", "measured", "simulated", "predicted", "")
    for row in rows:
        figures = map(_told, (row.measured, row.simulated, row.predicted))
        table.add_row(row.name, *figures, "agree" if row.agrees else "DISAGREE")
    Console().print(table)
    waits = recorded.waits_s()
    middle, last = (_told(quantile(waits, share).scaled(1000)) for share in (0.5, 0.99))
    print(f"answer to operator, ms: p50 {middle}  p99 {last}")
    print(
        f"{recorded.operators} operators, {recorded.length_s / 60:.1f} minutes, "
        f"{len(recorded.attempts)} calls, {recorded.answers} answers, {recorded.abandoned} abandoned "
        f"(cap {live.profile.abandon_cap:.0%})   ({machine()})"
    )
    counted = {"answers": recorded.answers, "abandoned": recorded.abandoned}
    for name, count in counted.items():
        expected = metrics[f"yobirin_pacing_{name}_expected_total"]
        print(f"/metrics: {name} expected {expected:.1f}, came {count}")


def _told(figure: Interval) -> str:
    return f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}]"


def save_plot(rows: list[Row], file: Path) -> None:
    """A panel for each figure: points with their intervals."""
    figure = Figure(figsize=(3.2 * len(rows), 3.4), layout="constrained")
    for panel, row in zip(figure.subplots(1, len(rows)), rows, strict=True):
        shown = {"measured": row.measured, "simulated": row.simulated, "predicted": row.predicted}
        for place, one in enumerate(shown.values()):
            below, above = one.value - one.low, one.high - one.value
            panel.errorbar(place, one.value, [[below], [above]], fmt="o", capsize=5, color="black")
        panel.set_xticks(range(len(shown)), list(shown))
        panel.set_xlim(-0.5, len(shown) - 0.5)
        panel.set_title(row.name)
        panel.grid(axis="y", linewidth=0.4)
    figure.savefig(file)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operators", type=int, default=10, help="default: 10")
    parser.add_argument("--answers", type=int, default=500, help="expected at least; default: 500")
    parser.add_argument("--cap", type=float, default=0.03, help="default: 0.03")
    parser.add_argument("--plot", type=Path, help="a plot with the intervals")
    options = parser.parse_args()
    live = asyncio.run(measure(options.operators, options.answers, options.cap))
    rows = rows_of(live.recorded, simulated(world_of(live)))
    tell(live, rows)
    if options.plot:
        save_plot(rows, options.plot)
    sys.exit(0 if all(row.agrees for row in rows) else 1)


if __name__ == "__main__":
    main()
