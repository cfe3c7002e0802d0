"""The link to Asterisk, on real panoramisk, against a manager interface that misbehaves on purpose."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from panoramisk.message import Message

from dialer.ami import link as link_module
from dialer.ami.fake import SECRET, FakeAsterisk
from dialer.ami.link import Link, LinkDown, LinkUp
from dialer.errors import AmiError, RefusedError

ATTEMPT = "11111111-1111-4111-8111-111111111111"
ORIGINATE = {"Action": "Originate", "ActionID": ATTEMPT, "Channel": "PJSIP/x@trunk"}
PING = {"Action": "Ping"}


async def next_of(link: Link, within_s: float = 30.0) -> Message | LinkUp | LinkDown:
    return await asyncio.wait_for(link.events.get(), within_s)


async def back_again(link: Link) -> None:
    """Wait until the link was down and is up again."""
    while await next_of(link) != LinkDown():
        pass
    assert await next_of(link) == LinkUp()


async def test_an_action_is_answered_and_its_headers_arrive_as_given(
    link: Link, asterisk: FakeAsterisk
) -> None:
    answer = await link.act({**ORIGINATE, "Variable": ["A=1", "B=2"]})
    assert answer[0].success
    sent = asterisk.received[-1]
    assert ("ActionID", ATTEMPT) in sent
    assert [value for name, value in sent if name == "Variable"] == ["A=1", "B=2"]


async def test_an_action_that_lists_returns_every_entry(link: Link, asterisk: FakeAsterisk) -> None:
    entries = [{"Event": "CoreShowChannel", "Uniqueid": str(number)} for number in range(3)]
    asterisk.lists["CoreShowChannels"] = entries
    answer = await link.act({"Action": "CoreShowChannels"})
    assert [m.uniqueid for m in answer if m.event == "CoreShowChannel"] == ["0", "1", "2"]


async def test_an_originate_without_an_answer_is_unknown_and_never_sent_again(
    link: Link, asterisk: FakeAsterisk
) -> None:
    """A link cut between the action and its answer: sent again, a person would be called twice."""
    asterisk.silent = True
    sending = asyncio.create_task(link.act(ORIGINATE, timeout_s=0.3))
    await asterisk.until("Originate")
    asterisk.cut()
    asterisk.silent = False
    await back_again(link)
    with pytest.raises(AmiError, match=r"^Originate: no answer from Asterisk$") as raised:
        await sending
    assert not isinstance(raised.value, RefusedError)
    await link.act(PING)  # what panoramisk had kept would have come before it
    assert len(asterisk.actions("Originate")) == 1


async def test_an_answer_that_comes_late_or_not_at_all_is_told_until_one_comes_in_time(
    link: Link, asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "LATE_S", 60.0)
    assert link.prompt
    asterisk.silent = True
    sending = asyncio.create_task(link.act(PING, timeout_s=2.0))
    await asterisk.until("Ping")
    assert link.prompt  # it waits, but not long yet
    monkeypatch.setattr(link_module, "LATE_S", 0.5)
    async with asyncio.timeout(30):
        while link.prompt:
            await asyncio.sleep(0.01)
    assert not sending.done()
    with pytest.raises(AmiError):
        await sending
    assert not link.prompt
    asterisk.silent = False
    async with asyncio.timeout(30):
        while not link.prompt:
            await link.act(PING)


@pytest.mark.parametrize("action", ["Redirect", "Hangup", "CoreShowChannels"])
async def test_no_other_action_is_sent_again_either(
    link: Link, asterisk: FakeAsterisk, action: str
) -> None:
    asterisk.silent = True
    sending = asyncio.create_task(link.act({"Action": action}, timeout_s=0.3))
    await asterisk.until(action)
    asterisk.cut()
    asterisk.silent = False
    await back_again(link)
    with pytest.raises(AmiError):
        await sending
    await link.act(PING)
    assert len(asterisk.actions(action)) == 1


async def test_what_asterisk_refuses_did_not_happen_and_its_words_are_not_repeated(
    link: Link, asterisk: FakeAsterisk
) -> None:
    asterisk.refuses.add("Originate")
    with pytest.raises(RefusedError, match=r"^Originate: refused by Asterisk$"):
        await link.act(ORIGINATE)


async def test_while_the_link_is_down_an_action_is_refused_and_never_leaves(
    link: Link, asterisk: FakeAsterisk
) -> None:
    asterisk.silent = True  # it takes the next connection, and no login
    asterisk.cut()
    assert await next_of(link) == LinkDown()
    assert not link.up
    with pytest.raises(RefusedError, match="down"):
        await link.act(ORIGINATE)
    asterisk.silent = False
    asterisk.cut()
    assert await next_of(link) == LinkUp()
    await link.act(PING)
    assert asterisk.actions("Originate") == []


async def test_a_silent_asterisk_is_found_and_connected_to_again(
    monkeypatch: pytest.MonkeyPatch, asterisk: FakeAsterisk, quick: None
) -> None:
    """By the ping, and where it does not even answer the login."""
    monkeypatch.setattr(link_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(Link.act, "__defaults__", (1.0,))
    link = Link(asterisk.ami, SECRET)
    await link.connect()
    assert await next_of(link) == LinkUp()
    asterisk.silent = True
    assert await next_of(link) == LinkDown()
    await asterisk.until("Login", 3)
    asterisk.silent = False
    assert await next_of(link) == LinkUp()
    link.close()


async def test_an_asterisk_that_says_it_shuts_down_is_connected_to_again(
    link: Link, asterisk: FakeAsterisk
) -> None:
    asterisk.tell("Shutdown", Shutdown="Cleanly", Restart="True")
    await back_again(link)


async def test_events_come_in_their_order_with_what_the_link_does_in_its_place(
    link: Link, asterisk: FakeAsterisk
) -> None:
    for number in range(200):
        asterisk.tell("Before", Number=str(number))
    await link.act(PING)  # they have arrived
    asterisk.cut()
    while asterisk.logins < 2 or not link.up:
        await asyncio.sleep(0.01)
    for number in range(200):
        asterisk.tell("After", Number=str(number))

    seen = [await next_of(link) for _ in range(402)]
    told = [(m.event, m.number) if isinstance(m, Message) else type(m) for m in seen]
    assert told == [
        *(("Before", str(number)) for number in range(200)),
        LinkDown,
        LinkUp,
        *(("After", str(number)) for number in range(200)),
    ]


async def test_an_originates_response_is_an_event_like_others(
    link: Link, asterisk: FakeAsterisk
) -> None:
    await link.act(ORIGINATE)
    asterisk.tell("OriginateResponse", ActionID=ATTEMPT, Response="Failure")
    event = await next_of(link)
    assert isinstance(event, Message)
    assert (event.event, event.actionid) == ("OriginateResponse", ATTEMPT)


async def test_a_wrong_secret_is_told_as_what_it_is(asterisk: FakeAsterisk, quick: None) -> None:
    told = ""
    for timeout_s in (0.3, 3.0, 30.0):  # it may not be refused as soon as that
        with pytest.raises(AmiError) as raised:
            await Link(asterisk.ami, "another").connect(timeout_s)
        if "refused the manager login" in (told := str(raised.value)):
            break
    assert "refused the manager login" in told


async def test_an_asterisk_that_is_not_there_is_told_as_what_it_is(quick: None) -> None:
    async with FakeAsterisk() as gone:
        ami = gone.ami
    with pytest.raises(AmiError, match="cannot be reached"):
        await Link(ami, SECRET).connect(timeout_s=0.3)


async def test_a_closed_link_stays_closed(link: Link, asterisk: FakeAsterisk) -> None:
    """Also when its reconnect timer was running already."""
    asterisk.silent = True
    asterisk.cut()
    assert await next_of(link) == LinkDown()
    asterisk.silent = False
    link.close()
    control = Link(asterisk.ami, SECRET)  # takes as long as a reconnect would
    await control.connect()
    control.close()
    async with asyncio.timeout(30):
        while asterisk.connections:
            await asyncio.sleep(0.01)
    assert not link.up


BREAKS = "".join(map(chr, range(0x20))) + "\x7f"
breaking = st.builds(
    lambda head, control, tail: head + control + tail,
    st.text(max_size=20),
    st.sampled_from(BREAKS),
    st.text(max_size=20) | st.just("\nAction: Originate\r\nChannel: PJSIP/0900000000@trunk"),
)
clean = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)
per_example = settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@per_example
@given(value=breaking, where=st.sampled_from(["value", "key", "repeated", "action"]))
async def test_no_control_character_in_any_part_of_an_action_reaches_the_wire(
    link: Link, asterisk: FakeAsterisk, value: str, where: str
) -> None:
    before = bytes(asterisk.wire)
    actions = {
        "value": {"Action": "Redirect", "Exten": value},
        "key": {"Action": "Redirect", value: "201"},
        "repeated": {"Action": "Redirect", "Variable": ["A=1", value]},
        "action": {"Action": value},
    }
    with pytest.raises(RefusedError, match="control character"):
        await link.act(actions[where])
    await link.act({"Action": "Marker"})
    sent = bytes(asterisk.wire).removeprefix(before)
    assert b"Redirect" not in sent
    assert b"Originate" not in sent
    assert sent.count(b"Action: ") == 1


@per_example
@given(value=clean)
async def test_any_other_text_arrives_as_one_header(
    link: Link, asterisk: FakeAsterisk, value: str
) -> None:
    await link.act({"Action": "Marker", "Text": value})
    sent = asterisk.received[-1]
    assert ("Text", value) in sent
    assert {name for name, _ in sent} == {"Action", "ActionID", "Text"}


async def test_the_error_of_a_refused_value_does_not_show_it(link: Link) -> None:
    with pytest.raises(RefusedError) as raised:
        await link.act({"Action": "Originate", "Channel": "PJSIP/0258001000@trunk\r\n"})
    assert "0258001000" not in str(raised.value)
