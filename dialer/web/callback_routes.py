"""What an operator does with a caller: search, identify, record, or close without a case.

Everything about a person travels in bodies: addresses end up in the logs of whatever is in between.
"""

from __future__ import annotations

from fastapi import APIRouter

from dialer.web.access import DeskHere, OperatorHere
from dialer.web.callback_models import (
    CallbackCloseIn,
    CallbackResultIn,
    IdentifyIn,
    SearchIn,
    SearchOut,
)
from dialer.web.models import Me
from dialer.web.refusals import REFUSALS

router = APIRouter(prefix="/api/callback", tags=["callback"], responses=REFUSALS)


@router.post("/search")
async def search(desk: DeskHere, operator: OperatorHere, wanted: SearchIn) -> SearchOut:
    """Cases the caller may be, by reference, name or number."""
    return await desk.search_cases(operator, wanted)


@router.post("/identify")
async def identify(desk: DeskHere, operator: OperatorHere, found: IdentifyIn) -> Me:
    """The operator knows who is calling: the case opens."""
    return await desk.identify(operator, found.callback_id, found.case_id)


@router.post("/result")
async def save_callback(desk: DeskHere, operator: OperatorHere, result: CallbackResultIn) -> Me:
    """Save the result of the operator's callback."""
    return await desk.save_callback(operator, result)


@router.put("/result")
async def correct_callback(desk: DeskHere, operator: OperatorHere, result: CallbackResultIn) -> Me:
    """Correct the saved result of a callback; the old one stays on record."""
    return await desk.correct_callback(operator, result)


@router.post("/close")
async def close_callback(desk: DeskHere, operator: OperatorHere, closed: CallbackCloseIn) -> Me:
    """The operator's callback ends without a case."""
    return await desk.close_callback(operator, closed)
