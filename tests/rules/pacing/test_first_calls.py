"""Looking ahead to the next call says what asking at one moment after the other would."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.decision import calls_to_place, first_calls
from rules.pacing.snapshot import Activity, OperatorNow, Pace, Snapshot, Terms, Today
from tests.rules.pacing.test_outlook import NOW_S, centres

laters = st.lists(st.floats(0, 60), max_size=6).map(sorted)
breaks = st.lists(st.none() | st.floats(NOW_S - 10, NOW_S + 90), max_size=10)
SOME = settings(max_examples=150, deadline=None)  # the first one makes tables


def asked(snapshot: Snapshot, now_s: float) -> Pace:
    """What is to be placed at a moment of which nothing but the time differs."""
    left_s = snapshot.today.left_s
    if left_s is not None:
        left_s -= now_s - snapshot.now_s
    today = replace(snapshot.today, left_s=left_s)
    return calls_to_place(replace(snapshot, now_s=now_s, today=today))


@SOME
@given(centres, laters, breaks, st.sampled_from([0.0, 0.01, 0.03]))
def test_the_first_calls_are_those_of_the_first_moment_with_any(
    snapshot: Snapshot, later: list[float], breaks: list[float | None], cap: float
) -> None:
    operators = list(snapshot.operators)
    for place, break_at_s in enumerate(breaks[: len(operators)]):
        operators[place] = replace(operators[place], break_at_s=break_at_s)
    snapshot = replace(snapshot, operators=operators, terms=replace(snapshot.terms, cap=cap))
    moments = [NOW_S + later_s for later_s in later]
    paces = enumerate(asked(snapshot, now_s) for now_s in moments)
    assert first_calls(snapshot, moments) == next((one for one in paces if one[1].calls), None)


def test_whoever_becomes_free_meanwhile_is_called_for() -> None:
    # the last of the after-call work ends, and not before that is there anybody to call for
    working = OperatorNow(activity=Activity.AFTER_CALL_WORK, since_s=NOW_S)
    snapshot = Snapshot(
        now_s=NOW_S,
        may_dial=True,
        operators=(working,) * 4,
        calls=(),
        lines=20,
        lines_used=0,
        candidates=(None,) * 20,
        today=Today(connected=2000, left_s=3600),
        terms=Terms(cap=0.03),
    )
    found = first_calls(snapshot, [NOW_S + later_s for later_s in range(120)])
    assert found is not None
    later_s, pace = found
    at_s = NOW_S + later_s
    assert 0 < later_s < 100 and pace.calls
    assert pace == asked(snapshot, at_s) and not asked(snapshot, at_s - 1).calls
