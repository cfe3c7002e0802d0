"""The actions on a call that is alive. A channel is named by its Uniqueid, which is the attempt."""

from __future__ import annotations

from dialer.ami import contract
from dialer.ami.link import Value

NORMAL_CLEARING = "16"


def connect(attempt: str, operator: str) -> dict[str, Value]:
    """Bridge the callee to the operator's nailed-up leg."""
    return _redirect(attempt, contract.CONNECT, operator)


def leave_message(attempt: str) -> dict[str, Value]:
    """Send the callee's answering machine to the approved message; the operator's leg stays."""
    return _redirect(attempt, contract.MESSAGE, "s")


def hang_up(attempt: str) -> dict[str, Value]:
    """End the call (a ringing one is cancelled)."""
    return {"Action": "Hangup", "Channel": attempt, "Cause": NORMAL_CLEARING}


def _redirect(attempt: str, context: str, exten: str) -> dict[str, Value]:
    return {
        "Action": "Redirect",
        "Channel": attempt,
        "Context": context,
        "Exten": exten,
        "Priority": "1",
    }
