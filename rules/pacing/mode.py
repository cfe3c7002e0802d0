"""The mode in force: the profile's, or progressive while there is too little to predict from."""

from __future__ import annotations

from rules.pacing.estimates import Estimates
from rules.pacing.snapshot import Mode, Snapshot, Why

LEAST_OPERATORS = 2
"""With one operator nobody else could become free in time."""
LEAST_ATTEMPTS = 20.0
"""Attempts seen, or believed as good as seen, before chances are taken at their word."""
LEAST_TIMES = 8.0
"""Times seen, or believed as good as seen, before their distributions are."""


def mode_of(snapshot: Snapshot, operators: int, credit: float) -> tuple[Mode, Why]:
    """The mode for this moment, and why it is this one.

    Args:
        operators: how many take calls.
        credit: calls that may still be abandoned today.
    """
    if snapshot.terms.mode is not Mode.PREDICTIVE:
        return snapshot.terms.mode, Why.ORDERED
    if not snapshot.ami_healthy:
        return Mode.PROGRESSIVE, Why.AMI_UNHEALTHY
    if operators < LEAST_OPERATORS:
        return Mode.PROGRESSIVE, Why.FEW_OPERATORS
    if not _enough(snapshot.estimates):
        return Mode.PROGRESSIVE, Why.FEW_DATA
    if credit < 1:
        return Mode.PROGRESSIVE, Why.CREDIT_SPENT
    return Mode.PREDICTIVE, Why.ORDERED


def _enough(estimates: Estimates) -> bool:
    return (
        estimates.chance.weight >= LEAST_ATTEMPTS
        and estimates.ring.weight >= LEAST_TIMES
        and estimates.talk.weight >= LEAST_TIMES
        and estimates.after_call.weight >= LEAST_TIMES
    )
