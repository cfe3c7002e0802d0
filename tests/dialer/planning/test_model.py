"""The plan's model of a case allows what the rules allow, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.planning.model import DONE, Model
from dialer.planning.slots import Roster, slots_from
from dialer.planning.units import Known, units_of
from rules.case import AttemptMade, Fact, Result, Scope
from rules.eligibility import may_call
from rules.history import state_of
from tests.dialer.planning.month import BEGIN, case_of
from tests.rules.stories import NOVEMBER, PROFILE, profile_with

SCOPES = [
    PROFILE,
    profile_with(attempt_scope=Scope.CASE),
    profile_with(weekend_scope=Scope.CASE),
    profile_with(attempt_scope=Scope.CASE, weekend_scope=Scope.CASE),
    profile_with(attempts=2),
]

MODELS = [Model(profile, []) for profile in SCOPES]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(SCOPES) - 1), st.integers(1, 2), st.data())
def test_whatever_was_called_so_far_the_model_and_the_rules_agree_on_the_next_call(
    scopes: int, phones: int, data: st.DataObject
) -> None:
    """A case is called in vain here and there; before every slot both are asked of every phone."""
    profile, case, facts = SCOPES[scopes], case_of(1, phones), list[Fact]()
    for slot in slots_from(BEGIN, NOVEMBER, profile, Roster({}, 1)):
        state = state_of(case, facts, profile, NOVEMBER)
        known = Known(case=case, state=state, contacted=False, wish=None)
        for unit in units_of(known, slot.starts_at, profile):
            model = MODELS[scopes]
            moment = slot.starts_at + timedelta(minutes=5)
            for number, phone in enumerate(unit.phones):
                allowed = may_call(state, phone, moment, NOVEMBER, profile).allowed
                after = model.attempt(unit.state, number, model.type_of(slot))
                assert allowed is (after is not None), (slot, phone)
        choices = [
            phone.id
            for phone in case.phones
            if may_call(state, phone.id, slot.starts_at, NOVEMBER, profile).allowed
        ]
        chosen = data.draw(st.sampled_from([None, *choices]))
        if chosen is not None:
            facts.append(_in_vain(slot.starts_at, chosen))


def _in_vain(at: datetime, phone: object) -> AttemptMade:
    return AttemptMade(at=at, phone=phone, result=Result(outcome="voicemail_left"))  # type: ignore[arg-type]


def test_a_case_that_is_done_stays_so() -> None:
    model = Model(PROFILE, [])
    assert model.states == [(DONE, DONE)]
    assert model.owed.tolist() == [0.0]


def test_the_states_of_two_new_phones_are_few() -> None:
    known = Known(
        case=case_of(1, 2),
        state=state_of(case_of(1, 2), [], PROFILE, NOVEMBER),
        contacted=False,
        wish=None,
    )
    (unit,) = units_of(known, BEGIN, PROFILE)
    model = Model(PROFILE, {unit.state})
    assert len(model.states) < 1000
    assert model.owed[model.index[unit.state]] == 6
