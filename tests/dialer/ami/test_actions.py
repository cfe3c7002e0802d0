"""The actions that place, join and end a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami import contract, handover
from dialer.ami.originate import Placement, originate_action
from dialer.settings import Trunk

ATTEMPT = "11111111-1111-4111-8111-111111111111"
CALL = Placement(attempt=ATTEMPT, number="0258001000", caller_id="0258000001")


def originate(placement: Placement = CALL, **trunk: object) -> dict[str, object]:
    settings = Trunk(host="192.0.2.1", **trunk)
    return dict(originate_action(placement, settings, set_up_s=30, ring_s=36))


def test_the_attempt_names_the_action_and_the_channel() -> None:
    action = originate()
    assert action["ActionID"] == action["ChannelId"] == ATTEMPT
    assert action["Variable"][0] == f"{contract.ATTEMPT}={ATTEMPT}"
    assert action["Async"] == "true"


def test_the_answered_call_goes_to_the_dialplan_that_waits_for_an_operator() -> None:
    action = originate()
    assert (action["Context"], action["Exten"], action["Priority"]) == (contract.ANSWERED, "s", "1")


def test_asterisks_own_time_limit_is_longer_than_ours_may_ever_be() -> None:
    """It counts from the INVITE: shorter, it would cut a ringing that began late (§8(5)ア)."""
    assert int(originate()["Timeout"]) > (30 + 36) * 1000


def test_the_callers_number_is_always_presented() -> None:
    assert originate()["CallerID"] == "0258000001"


@pytest.mark.parametrize(
    ("identity", "added"),
    [("from", False), ("pai", False), ("ppi", True), ("both", True)],
)
def test_the_preferred_identity_goes_where_the_carrier_wants_it(identity: str, added: bool) -> None:
    header = "PJSIP_HEADER(add,P-Preferred-Identity)=<sip:0258000001@192.0.2.1>"
    assert (header in originate(identity=identity)["Variable"]) is added


@pytest.mark.parametrize(
    ("prefix", "channel"),
    [("", "PJSIP/0258001000@trunk"), ("186", "PJSIP/1860258001000@trunk")],
)
def test_the_prefix_is_dialled_before_the_number(prefix: str, channel: str) -> None:
    assert originate(prefix=prefix)["Channel"] == channel


numbers = st.text(max_size=15) | st.from_regex(r"[0-9]{9,11}[@/,&\n]?.{0,5}")


@given(numbers, numbers)
def test_only_ascii_digits_are_ever_dialled_or_presented(number: str, caller_id: str) -> None:
    """Anything else could name another endpoint, a header or a second channel."""
    digits = set("0123456789")
    valid = all(text and set(text) <= digits for text in (number, caller_id))
    placement = Placement(attempt=ATTEMPT, number=number, caller_id=caller_id)
    try:
        action = originate(placement)
    except ValueError as error:
        assert not valid
        assert str(error) == "a number to dial must be digits"
    else:
        assert valid
        assert action["Channel"] == f"PJSIP/{number}@trunk"


def test_a_full_width_number_is_not_dialled() -> None:
    with pytest.raises(ValueError, match="digits"):
        originate(Placement(attempt=ATTEMPT, number="０２５８００１０００", caller_id="0258000001"))


@pytest.mark.parametrize(
    ("action", "context", "exten"),
    [
        (handover.connect(ATTEMPT, "201"), contract.CONNECT, "201"),
        (handover.leave_message(ATTEMPT), contract.MESSAGE, "s"),
    ],
)
def test_a_living_call_is_sent_elsewhere_in_the_dialplan(
    action: dict[str, str], context: str, exten: str
) -> None:
    assert action == {
        "Action": "Redirect",
        "Channel": ATTEMPT,
        "Context": context,
        "Exten": exten,
        "Priority": "1",
    }


def test_a_call_is_hung_up_as_normally_cleared() -> None:
    assert handover.hang_up(ATTEMPT) == {"Action": "Hangup", "Channel": ATTEMPT, "Cause": "16"}
