"""What planning is worth: contacts by plan, in file order and by lot, against a bound, and its time.

    .venv/bin/python -m scripts.bench.plan contacts [--seeds 20] [--cases 500] [--operators 3] [--spread 1]
    .venv/bin/python -m scripts.bench.plan month [--cases 500] [--operators N]
    .venv/bin/python -m scripts.bench.plan time

`contacts`: the same simulated months, called in each way; ratios with 95 % confidence intervals.
`month`: a month by plan, every attempt checked by the naive second implementation of the rules.
`time`: seconds a plan takes at 500 and at 50,000 cases.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from dialer.calendar import campaign_calendar
from dialer.planning.plan import make_plan
from dialer.planning.rates import Rate, Rates, learn
from dialer.planning.slots import Roster, slots_from
from dialer.profiles import load_profile
from rules.calendar import JST, Calendar
from rules.profile import Profile
from scripts.months.check import Promises, check_month
from scripts.months.month import Month, Way
from scripts.months.ways import ByPlan, InOrder, bound_from, units_in
from scripts.months.world import Callees, Truth, draw_people, draw_truth

PERIOD = (date(2026, 10, 20), date(2026, 10, 27))
"""Tuesday to Tuesday: eight days, of which two are non-weekdays."""
LEARNED_DAYS = 2
CONTRACTS_MOST = 500
"""Cases of the contract's largest month (別表1): with both phones and a plan every hour. Larger months
have one or two phones a case and a plan every band, or their simulation would take hours."""
STUDENT_95 = {20: 2.093, 24: 2.069, 30: 2.045, 40: 2.023}
"""Student's t for a 95 % interval of the mean of so many seeds; others: 2.1."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of one seed: contacts in each way, and against the bounds."""

    plan: int
    in_file_order: int
    by_lot: int
    bound: float
    later: int
    """By plan, after the first days."""
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
) -> tuple[Month, Truth]:
    """A month that has not begun."""
    profile, calendar = setting()
    truth = draw_truth(seed, profile, spread)
    people = draw_people(seed, cases, two_phones=two_phones)
    callees = Callees(seed, truth, calendar, profile)
    return Month(people, calendar, profile, Roster({}, operators), callees, way), truth


def as_rates(truth: Truth) -> Rates:
    """The truth in place of a belief."""
    return Rates(
        contacts={cell: Rate(p, p, p) for cell, p in truth.contact.items()},
        end_share=truth.end_share,
        closed_share=truth.closed_share,
        ring_factor=1.0,
        handling_factor=1.0,
    )


def one_seed(seed: int, cases: int, operators: int, spread: float) -> Ratios:
    """One simulated month, called in every way."""
    begin = datetime.combine(PERIOD[0], datetime.min.time(), JST)
    learned = begin + timedelta(days=LEARNED_DAYS)
    by_plan, truth = month_of(seed, cases, operators, ByPlan(), spread=spread)
    rates = as_rates(truth)
    bound = bound_from(by_plan, begin, truth, rates)
    by_plan.run(until=learned)
    later_bound = bound_from(by_plan, learned, truth, rates)
    by_plan.run(since=learned)
    in_file_order, by_lot = (
        in_order(seed, cases, operators, spread, way) for way in (InOrder(), InOrder(seed))
    )
    return Ratios(
        plan=by_plan.contacted(),
        in_file_order=in_file_order,
        by_lot=by_lot,
        bound=bound,
        later=by_plan.contacted(since=learned),
        later_bound=later_bound,
        promises=check_month(by_plan),
    )


def in_order(seed: int, cases: int, operators: int, spread: float, way: InOrder) -> int:
    """Cases reached when the same month is called without a plan."""
    month, _ = month_of(seed, cases, operators, way, spread=spread)
    month.run()
    return month.contacted()


def contacts(seeds: int, cases: int, operators: int, spread: float) -> None:
    """Every way of calling on the same months."""
    work = partial(one_seed, cases=cases, operators=operators, spread=spread)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(work, range(1, seeds + 1)))
    print(f"{seeds} months of {cases} cases, {operators} operators, spread {spread}")
    for name, ratios in {
        "plan / bound, whole month": [r.plan / r.bound for r in found],
        f"plan / bound, after {LEARNED_DAYS} days": [r.later / r.later_bound for r in found],
        "file order / bound": [r.in_file_order / r.bound for r in found],
        "by lot / bound": [r.by_lot / r.bound for r in found],
        "plan / file order": [r.plan / r.in_file_order for r in found],
        "plan / by lot": [r.plan / r.by_lot for r in found],
        "contact rate by plan": [r.plan / cases for r in found],
        "contact rate in file order": [r.in_file_order / cases for r in found],
    }.items():
        mean = statistics.fmean(ratios)
        spread = statistics.stdev(ratios) / len(ratios) ** 0.5 * STUDENT_95.get(seeds, 2.1)
        print(f"  {name:32} {mean:.3f} [{mean - spread:.3f}, {mean + spread:.3f}]")
    print(f"  promises broken by plan: {sum(not r.promises.kept for r in found)} of {seeds} months")


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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--operators", type=int, default=3)
    parser.add_argument("--spread", type=float, default=1.0, help="see scripts.months.world")
    given = parser.parse_args()
    if given.what == "contacts":
        contacts(given.seeds, given.cases, given.operators, given.spread)
    elif given.what == "month":
        month(given.cases, given.operators, given.seed)
    else:
        timing()


if __name__ == "__main__":
    main()
