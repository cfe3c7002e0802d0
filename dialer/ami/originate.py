"""Place one call: the Originate action, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.ami import contract
from dialer.ami.link import Value
from dialer.settings import Trunk

SLACK_S = 4
"""Added to Asterisk's own time-out, which only has to end a call when we are dead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """What Asterisk has to know of a call."""

    attempt: str
    number: str
    """Digits, trunk 0 first."""
    caller_id: str


def originate_action(
    placement: Placement, trunk: Trunk, *, set_up_s: float, ring_s: float
) -> dict[str, Value]:
    """The Originate that calls the number and hands the answered call to the dialplan.

    Its Timeout counts from the INVITE, so it cannot measure ringing: it is long enough for a ringing
    that starts at the last moment, and `dialer.calls` hangs up by its own timer (§8(5)ア).

    Raises:
        ValueError: number or caller ID are not digits.
    """
    digits = placement.number + placement.caller_id
    if not (digits.isascii() and placement.number.isdecimal() and placement.caller_id.isdecimal()):
        raise ValueError("a number to dial must be digits")
    variables = [f"{contract.ATTEMPT}={placement.attempt}"]
    if trunk.identity in ("ppi", "both"):
        host = trunk.host
        identity = f"<sip:{placement.caller_id}@{host}>"
        variables.append(f"PJSIP_HEADER(add,P-Preferred-Identity)={identity}")
    return {
        "Action": "Originate",
        "ActionID": placement.attempt,
        "Channel": f"PJSIP/{trunk.prefix}{placement.number}@{contract.TRUNK}",
        "ChannelId": placement.attempt,
        "Context": contract.ANSWERED,
        "Exten": "s",
        "Priority": "1",
        "CallerID": placement.caller_id,
        "Timeout": str(int((set_up_s + ring_s + SLACK_S) * 1000)),
        "Async": "true",
        "Variable": variables,
    }
