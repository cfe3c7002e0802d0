"""The interface of an operator's screen, for people and robots alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request

from dialer.web.access import DeskHere, OperatorHere
from dialer.web.case_models import ResultIn
from dialer.web.models import BreakIn, Me, OfferIn, ProgressIn
from dialer.web.outcomes import Outcomes, outcomes_of
from dialer.web.refusals import REFUSALS

POLL_LIMIT_S = 25.0
"""Below the 30 s after which proxies give up on an answer."""

router = APIRouter(prefix="/api", tags=["operator"], responses=REFUSALS)


@router.get("/me")
async def me(
    desk: DeskHere,
    operator: OperatorHere,
    since: Annotated[int | None, Query(description="The `rev` last seen")] = None,
    wait: Annotated[float, Query(ge=0, le=POLL_LIMIT_S, description="Seconds")] = 0.0,
) -> Me:
    """The operator's present screen; with `since` and `wait`, when it has changed."""
    if since is None:
        return desk.me(operator)
    return await desk.changed(operator, since, wait)


@router.post("/ready")
async def ready(desk: DeskHere, operator: OperatorHere) -> Me:
    """Take calls."""
    return await desk.ready(operator)


@router.post("/pause")
async def pause(desk: DeskHere, operator: OperatorHere) -> Me:
    """Take no new call."""
    return await desk.pause(operator)


@router.post("/break")
async def announce_break(desk: DeskHere, operator: OperatorHere, wanted: BreakIn) -> Me:
    """Take no new call from then on."""
    return await desk.announce_break(operator, wanted.in_s)


@router.delete("/break")
async def call_off_break(desk: DeskHere, operator: OperatorHere) -> Me:
    """Call the announced break off."""
    return await desk.announce_break(operator, None)


@router.post("/progress")
async def progress(desk: DeskHere, operator: OperatorHere, step: ProgressIn) -> Me:
    """A step of the script is done, or was ticked by mistake."""
    return await desk.progress(operator, step.step, done=step.done)


@router.post("/dial")
async def dial(desk: DeskHere, operator: OperatorHere, offer: OfferIn) -> Me:
    """Call the case that is offered."""
    return await desk.dial(operator, offer.attempt_id)


@router.post("/skip")
async def skip(desk: DeskHere, operator: OperatorHere, offer: OfferIn) -> Me:
    """Put the case off that is offered."""
    return await desk.skip(operator, offer.attempt_id)


@router.post("/hangup")
async def hangup(desk: DeskHere, operator: OperatorHere) -> Me:
    """End the line of the talk."""
    return await desk.hangup(operator)


@router.post("/message")
async def leave_message(desk: DeskHere, operator: OperatorHere) -> Me:
    """Leave the approved message on the answering machine; the operator is free again."""
    return await desk.leave_message(operator)


@router.post("/result")
async def save_result(desk: DeskHere, operator: OperatorHere, result: ResultIn) -> Me:
    """Save the result of the operator's call."""
    return await desk.save_result(operator, result)


@router.put("/result/{attempt_id}")
async def correct_result(
    desk: DeskHere, operator: OperatorHere, attempt_id: str, result: ResultIn
) -> Me:
    """Correct a saved result; the old one stays on record."""
    if attempt_id != result.attempt_id:
        raise HTTPException(422, "訂正する架電が一致しません")
    return await desk.correct_result(operator, result)


@router.get("/outcomes")
async def outcomes(desk: DeskHere, request: Request, operator: OperatorHere) -> Outcomes:
    """Outcomes, talk results and script of the contract profile the operator's call goes by, and the
    city's criteria."""
    return outcomes_of(desk.profile(operator) or request.app.state.profile, desk.criteria())
