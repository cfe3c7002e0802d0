"""What the called person's telephone learns of who calls (§11(2)イウ), in every way a carrier may want it.

    .venv/bin/python -m scripts.bench.caller_id

In each identity mode a person is called, talks with an operator, and asks by a re-INVITE and an UPDATE
of their own whether anything changed. Exit status 0: every INVITE carried the configured number in From
and in exactly the headers of the mode, and no message of the whole call named an operator or was anonymous.
"""

from __future__ import annotations

import asyncio
import re
import sys

from db.campaigns import CampaignState
from scripts.bench.centre import FIRST_EXTENSION, POOL, centre, until

MODES = {
    "from": set[str](),
    "pai": {"P-Asserted-Identity"},
    "ppi": {"P-Preferred-Identity"},
    "both": {"P-Asserted-Identity", "P-Preferred-Identity"},
}
"""The headers beside From that carry the number."""
NUMBER = POOL[0]
_HEADER = re.compile(r"^([\w-]+): *(.*)$", re.M)
_FORBIDDEN = re.compile(
    rf"anonymous|sip:{FIRST_EXTENSION}\b|\"{FIRST_EXTENSION}\"|^Privacy:", re.I | re.M
)


def faults(mode: str, messages: list[str]) -> list[str]:
    """What was wrong in the messages that a callee received."""
    invites = [m for m in messages if m.startswith("INVITE ")]
    found = [] if invites else ["no INVITE came"]
    for invite in invites:
        headers = dict(_HEADER.findall(invite))
        for name in ("From", *MODES["both"]):
            due = name == "From" or name in MODES[mode]
            if due != (f"sip:{NUMBER}@" in headers.get(name, "")):
                found.append(f"{name}: {headers.get(name, 'missing')}")
    found += [line for m in messages for line in m.splitlines() if _FORBIDDEN.search(line)]
    return found


async def messages_in(mode: str) -> list[str]:
    """Every message that the PBX sends a callee in one call with a talk."""
    async with centre(1, identity=mode) as made:
        await made.add_cases(["0258100001"])
        joined = made.folder / "joined"
        process = made.dialer("--joined", str(joined))
        with made.legs(), made.callees("talk", full=True) as callees, process:
            await made.operators_ready()
            await made.set_campaign(CampaignState.RUNNING)

            async def over() -> bool:
                return any(m.method == "BYE" and " 200 " in m.start for m in callees.messages())

            await until(over, "the talk to end")
            if not joined.read_text():
                sys.exit(f"{mode}: no operator was joined, so nothing was shown")
            return callees.received()


def main() -> None:
    """Print the table."""
    right = True
    for mode in MODES:
        messages = asyncio.run(messages_in(mode))
        found = faults(mode, messages)
        beside = ", ".join(sorted(MODES[mode])) or "nothing"
        print(f"{mode:<5} From and {beside}: {len(messages)} messages, {found or 'right'}")
        right &= not found
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
