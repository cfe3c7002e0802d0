"""Who sends a call: the carrier by its address, operators by name and password; whatever From says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dialer.ami import contract
from tests.asterisk.callbacks import lobby
from tests.asterisk.pbx import POOL, Pbx, started_pbx
from tests.asterisk.phone import HOST, Phone
from tests.asterisk.room import operator
from tests.asterisk.tones import OPERATOR_HZ, PERSON_HZ, WAIT_HZ

pytestmark = pytest.mark.asterisk

CARRIER, STRANGER = "127.0.0.2", "127.0.0.3"
EXTENSION = "201"


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    """A PBX whose carrier has an address of its own, as in a city's house."""
    with started_pbx(host=CARRIER) as running:
        yield running


async def test_a_caller_whose_number_is_an_operators_extension_is_a_caller(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place, EXTENSION) as leg:
        here.place.carrier.identity = f"<sip:{EXTENSION}@{CARRIER}>"
        line = await here.answered()
        caller = await here.arrived(EXTENSION)
        await line.hears(WAIT_HZ)
        await here.connect(caller, EXTENSION)
        await asyncio.gather(line.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        line.hang_up()
        assert await here.life(caller) == [
            "arrived", "waiting", f"joining {EXTENSION}", "ended joining",
        ]  # fmt: skip


IMPOSTORS = [
    # address, name in From, what is dialled, whether the operator's password is known, answer
    (CARRIER, EXTENSION, contract.LOGIN_EXTENSION, True, 404),  # no number of ours
    (STRANGER, EXTENSION, contract.LOGIN_EXTENSION, False, 401),
    (STRANGER, EXTENSION, POOL[0], False, 401),
    (STRANGER, contract.TRUNK, POOL[0], False, 401),
    (STRANGER, "0258000001", POOL[0], False, 401),
    (HOST, contract.TRUNK, POOL[0], False, 401),
    (HOST, EXTENSION, contract.LOGIN_EXTENSION, False, 401),
]


@pytest.mark.parametrize(("host", "name", "dialled", "knows", "answer"), IMPOSTORS)
async def test_nobody_is_taken_for_an_operator_or_the_carrier(
    pbx: Pbx, host: str, name: str, dialled: str, knows: bool, answer: int
) -> None:
    secret = pbx.secrets.sip[EXTENSION] if knows else "guessed"
    port = pbx.settings.asterisk.sip_port
    async with lobby(pbx) as here, Phone(port, user=name, secret=secret, host=host) as phone:
        status, _ = await phone.call(dialled)
        assert status == answer
        await here.place.agent_is(EXTENSION, "AGENT_LOGGEDOFF")


REGISTERING = [
    # address, whether the operator's password is known, whether calls come there from now on
    (HOST, True, True),
    (HOST, False, False),
    (STRANGER, False, False),
    (CARRIER, True, False),  # it is never anything but the carrier
]


@pytest.mark.parametrize(("host", "knows", "registered"), REGISTERING)
async def test_only_an_operators_telephone_registers(
    pbx: Pbx, host: str, knows: bool, registered: bool
) -> None:
    secret = pbx.secrets.sip[EXTENSION] if knows else "guessed"
    port = pbx.settings.asterisk.sip_port
    async with Phone(port, user=EXTENSION, secret=secret, host=host) as phone:
        if registered:
            await phone.register()
        else:
            with pytest.raises(AssertionError, match=r"SIP/2\.0 40"):
                await phone.register()
        contacts = pbx.asterisk.cli(f"pjsip show aor {EXTENSION}")
        assert (f"{host}:{phone.port}" in contacts) is registered
