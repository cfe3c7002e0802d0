"""What an operator can record, and the script: the contract profile as the screen needs it."""

from __future__ import annotations

from dialer.web.case_models import Answer
from dialer.web.models import CriterionOut
from rules.case import Scope
from rules.outcome import Mark, Recorder
from rules.profile import Profile, ScriptStep, TalkResult


class OutcomeOut(Answer):
    """One outcome that an operator can choose."""

    code: str
    label: str
    clause: str | None
    needs: tuple[Mark, ...]
    """Marks without which it may not be recorded."""
    scopes: tuple[Scope, ...]
    """What it may be chosen to concern; the first is the default."""
    appointment: bool
    """May carry an appointment (§8(5)エ)."""
    callback: bool
    """May be recorded of a callback (§8(4)キ)."""


class Outcomes(Answer):
    """`GET /api/outcomes`."""

    outcomes: tuple[OutcomeOut, ...]
    labels: dict[str, str]
    """Of every outcome by code, those of the line and of the month's other days included: a case's
    history shows them."""
    talk_results: tuple[TalkResult, ...]
    script: tuple[ScriptStep, ...]
    criteria: tuple[CriterionOut, ...]
    """Of the city, under which a case may be handed to it."""


def outcomes_of(profile: Profile, criteria: tuple[CriterionOut, ...]) -> Outcomes:
    """The profile's outcomes in its order, those that only the line can know left out."""
    return Outcomes(
        outcomes=tuple(
            OutcomeOut(
                code=code,
                label=rule.label,
                clause=rule.clause,
                needs=rule.needs,
                scopes=rule.scopes,
                appointment=rule.appointment,
                callback=rule.callback,
            )
            for code, rule in profile.outcomes.items()
            if Recorder.OPERATOR in rule.by
        ),
        labels={
            code: rule.label
            for form in (*profile.timeline.forms, profile)
            for code, rule in form.outcomes.items()
        },
        talk_results=profile.talk_results,
        script=profile.script,
        criteria=criteria,
    )
