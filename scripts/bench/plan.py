"""What planning is worth: contacts by plan, in file order and by lot, against a bound, and its time.

    .venv/bin/python -m scripts.bench.plan contacts [--seeds 20] [--cases 500] [--operators 3] [--spread 1]
        [--month-before] [--told {all,non-weekdays} --told-from 2026-10-24T09:00]
    .venv/bin/python -m scripts.bench.plan month [--cases 500] [--operators N]
    .venv/bin/python -m scripts.bench.plan time

`contacts`: the same simulated months, called in each way; ratios with 95 % confidence intervals, contacts
without the luck of the calls made (`scripts.months.bound`). `--month-before`: with the sums of one month
before, of other people in the same city. `--told`: from a moment on the plan is told true rates, of all
cells or of those on non-weekdays: what not knowing them costs.
`month`: a month by plan, every attempt checked by the naive second implementation of the rules.
`time`: seconds a plan takes at 500 and at 50,000 cases.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from dialer.calendar import campaign_calendar
from dialer.planning.plan import make_plan
from dialer.planning.rates import Cell, Rates, Tally, learn
from dialer.planning.slots import Roster, slots_from
from dialer.profiles import load_profile
from rules.calendar import JST, Calendar
from rules.profile import Profile
from scripts.months.bound import as_rates, bound_from
from scripts.months.check import Promises, check_month
from scripts.months.month import Month, Way
from scripts.months.ways import ByPlan, InOrder, learned, units_in
from scripts.months.world import Callees, Truth, draw_people, draw_truth

PERIOD = (date(2026, 10, 20), date(2026, 10, 27))
"""Tuesday to Tuesday: eight days, of which two are non-weekdays."""
LEARNED_DAYS = 2
ANOTHER_MONTH = 1_000_000
"""Far from all seeds: its people and their luck are others."""
CONTRACTS_MOST = 500
"""Cases of the contract's largest month (別表1): with both phones and a plan every hour. Larger months
have one or two phones a case and a plan every band, or their simulation would take hours."""
STUDENT_95 = {10: 2.262, 20: 2.093, 24: 2.069, 30: 2.045, 40: 2.023}
"""Student's t for a 95 % interval of the mean of so many seeds; others: 2.1."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of one seed: contacts in each way, without luck, and the bounds."""

    plan: float
    in_file_order: float
    by_lot: float
    bound: float
    later: float
    """By plan, after the first days."""
    later_counted: int
    """The same with luck."""
    later_bound: float
    promises: Promises


def setting() -> tuple[Profile, Calendar]:
    """The contract and a month's period."""
    profile = load_profile("nagaoka-r8", PERIOD[0])
    return profile, campaign_calendar(*PERIOD, frozenset(), profile)


def month_of(
    seed: int,
    cases: int,
    operators: int,
    way: Way,
    *,
    two_phones: bool = False,
    spread: float = 1.0,
    others: int = 0,
) -> tuple[Month, Truth]:
    """A month that has not begun.

    Args:
        others: 0, or a number that makes it a month of other people in the same city.
    """
    profile, calendar = setting()
    truth = draw_truth(seed, profile, spread)
    people = draw_people(seed + others, cases, two_phones=two_phones)
    callees = Callees(seed + others, truth, calendar, profile)
    return Month(people, calendar, profile, Roster({}, operators), callees, way), truth


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the plan knows of the city besides its priors and the month's own calls."""

    month_before: bool
    """The sums of a month of other people."""
    told: str | None
    """True rates: `all`, or those on `non-weekdays`."""
    told_from: datetime

    def earlier(self, seed: int, cases: int, operators: int, spread: float) -> Mapping[Cell, Tally]:
        """The sums of the month before."""
        if not self.month_before:
            return {}
        before, _ = month_of(seed, cases, operators, ByPlan(), spread=spread, others=ANOTHER_MONTH)
        before.run()
        return before.tallies

    def believed(
        self, truth: Truth, earlier: Mapping[Cell, Tally], month: Month, now: datetime
    ) -> Rates:
        """What the plan goes by."""
        rates = learned(month, now, earlier)
        if self.told is None or now < self.told_from:
            return rates
        true = as_rates(truth)
        if self.told == "all":
            return true
        known = {cell: rate for cell, rate in true.contacts.items() if cell.non_weekday}
        return replace(rates, contacts={**rates.contacts, **known})


def one_seed(seed: int, cases: int, operators: int, spread: float, knowledge: Knowledge) -> Ratios:
    """One simulated month, called in every way."""
    begin = datetime.combine(PERIOD[0], datetime.min.time(), JST)
    later = begin + timedelta(days=LEARNED_DAYS)
    truth = draw_truth(seed, setting()[0], spread)
    earlier = knowledge.earlier(seed, cases, operators, spread)
    believed = partial(knowledge.believed, truth, earlier)
    month_by = partial(month_of, seed, cases, operators, spread=spread)
    by_plan, in_file_order, by_lot = (
        month_by(way)[0] for way in (ByPlan(believed=believed), InOrder(), InOrder(seed))
    )
    bound = bound_from(by_plan, begin, truth)
    by_plan.run(until=later)
    later_bound = bound_from(by_plan, later, truth)
    by_plan.run(since=later)
    in_file_order.run()
    by_lot.run()
    return Ratios(
        plan=bound.contacts_without_luck(by_plan),
        in_file_order=bound.contacts_without_luck(in_file_order),
        by_lot=bound.contacts_without_luck(by_lot),
        bound=bound.contacts,
        later=later_bound.contacts_without_luck(by_plan),
        later_counted=by_plan.contacted(since=later),
        later_bound=later_bound.contacts,
        promises=check_month(by_plan),
    )


def contacts(seeds: range, cases: int, operators: int, spread: float, knowledge: Knowledge) -> None:
    """Every way of calling on the same months."""
    work = partial(one_seed, cases=cases, operators=operators, spread=spread, knowledge=knowledge)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(work, seeds))
    print(f"{len(seeds)} months of {cases} cases, {operators} operators, spread {spread}")
    for name, ratios in {
        "plan / bound, whole month": [r.plan / r.bound for r in found],
        f"plan / bound, after {LEARNED_DAYS} days": [r.later / r.later_bound for r in found],
        "the same, with luck": [r.later_counted / r.later_bound for r in found],
        "file order / bound": [r.in_file_order / r.bound for r in found],
        "by lot / bound": [r.by_lot / r.bound for r in found],
        "plan / file order": [r.plan / r.in_file_order for r in found],
        "plan / by lot": [r.plan / r.by_lot for r in found],
        "contact rate by plan": [r.plan / cases for r in found],
        "contact rate in file order": [r.in_file_order / cases for r in found],
    }.items():
        mean = statistics.fmean(ratios)
        spread = statistics.stdev(ratios) / len(ratios) ** 0.5 * STUDENT_95.get(len(seeds), 2.1)
        print(f"  {name:32} {mean:.3f} [{mean - spread:.3f}, {mean + spread:.3f}]")
    print(
        f"  promises broken by plan: {sum(not r.promises.kept for r in found)} of {len(seeds)} months"
    )


def month(cases: int, operators: int, seed: int) -> None:
    """One month by plan, and whether every promise was kept."""
    began = time.perf_counter()
    small = cases <= CONTRACTS_MOST
    way = ByPlan(hourly=small)
    by_plan, _ = month_of(seed, cases, operators, way, two_phones=small)
    by_plan.run()
    phones = sum(len(one.person.case.phones) for one in by_plan.standings)
    print(
        f"{cases} cases, {phones} phones, {operators} operators: {len(by_plan.made)} attempts, "
        f"{by_plan.contacted()} cases reached; {time.perf_counter() - began:.0f} s"
    )
    print(f"  {check_month(by_plan)}")


def timing() -> None:
    """How long one plan takes."""
    for cases, operators in ((500, 3), (50_000, 300)):
        month, _ = month_of(1, cases, operators, InOrder(), two_phones=True)
        begin = datetime.combine(PERIOD[0], datetime.min.time(), JST)
        began = time.perf_counter()
        slots = slots_from(begin, month.calendar, month.profile, month.roster)
        plan = make_plan(units_in(month, begin), slots, learn({}, {}, month.profile), month.profile)
        seconds = time.perf_counter() - began
        print(
            f"{cases} cases: {seconds:.1f} s, {len(plan.paths)} phones, "
            f"{len(plan.shortfalls)} short"
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["contacts", "month", "time"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--operators", type=int, default=3)
    parser.add_argument("--spread", type=float, default=1.0, help="see scripts.months.world")
    parser.add_argument("--month-before", action="store_true")
    parser.add_argument("--told", choices=["all", "non-weekdays"])
    parser.add_argument("--told-from", type=datetime.fromisoformat, default="2026-10-20T00:00")
    given = parser.parse_args()
    if given.what == "contacts":
        since = given.told_from.replace(tzinfo=JST)
        knowledge = Knowledge(given.month_before, given.told, since)
        seeds = range(given.seed, given.seed + given.seeds)
        contacts(seeds, given.cases, given.operators, given.spread, knowledge)
    elif given.what == "month":
        month(given.cases, given.operators, given.seed)
    else:
        timing()


if __name__ == "__main__":
    main()
