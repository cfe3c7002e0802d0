"""The actions on a call that is alive. A channel is named by its Uniqueid: the attempt, or the callback."""

from __future__ import annotations

from dialer.ami import contract
from dialer.ami.link import Value

NORMAL_CLEARING = "16"


def connect(attempt: str, operator: str) -> dict[str, Value]:
    """Bridge the callee to the operator's nailed-up leg."""
    return _redirect(attempt, contract.CONNECT, operator)


def connect_callback(callback: str, operator: str) -> dict[str, Value]:
    """Bridge a caller to the operator's nailed-up leg."""
    return _redirect(callback, contract.CALLBACK_CONNECT, operator)


def take_over(callback: str) -> dict[str, Value]:
    """Send a caller from Asterisk's own queue into our line."""
    return _redirect(callback, contract.CALLBACK_WAIT, "s")


def leave_message(attempt: str) -> dict[str, Value]:
    """Send the callee's answering machine to the approved message; the operator's leg stays."""
    return _redirect(attempt, contract.MESSAGE, "s")


def hang_up(attempt: str) -> dict[str, Value]:
    """End the call (a ringing one is cancelled)."""
    return {"Action": "Hangup", "Channel": attempt, "Cause": NORMAL_CLEARING}


def _redirect(channel: str, context: str, exten: str) -> dict[str, Value]:
    return {
        "Action": "Redirect",
        "Channel": channel,
        "Context": context,
        "Exten": exten,
        "Priority": "1",
    }
