"""Stand-ins for what the service's parts stand on: a clock that is told, a link and a ledger that note."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from panoramisk.message import Message

from dialer.ami.link import LinkDown, LinkUp, Value
from dialer.errors import AmiError, RefusedError
from dialer.ledger import Entry, Settlement


class StillClock:
    """Stands until it is moved; both times move together, unless somebody sets the clock."""

    is_real = False

    def __init__(self, now: datetime) -> None:
        self._start = now
        self._passed_s = 0.0
        self.error_s = 0.0
        """By how much the clock was set forth, or back."""

    def now(self) -> datetime:
        return self.true_now() + timedelta(seconds=self.error_s)

    def true_now(self) -> datetime:
        """What the clock would say if nobody had set it."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return self._passed_s

    def move(self, seconds: float) -> None:
        self._passed_s += seconds


class FakeLink:
    """Notes every action. Answers with success, or as it is told."""

    def __init__(self) -> None:
        self.up = True
        self.prompt = True
        self.events: asyncio.Queue[Message | LinkUp | LinkDown] = asyncio.Queue()
        self.sent: list[dict[str, Value]] = []
        self.refuses: set[str] = set()
        """Actions that Asterisk says no to."""
        self.swallows: set[str] = set()
        """Actions that get no answer."""
        self.lists: dict[str, list[dict[str, str]]] = {}
        """Events that an action is answered with."""
        self.values: dict[str, str] = {}
        """What Getvar says of a variable."""
        self.before: Callable[[Mapping[str, Value]], Awaitable[None]] | None = None
        """Looks around at the moment an action would leave the house."""

    async def act(self, action: Mapping[str, Value]) -> list[Message]:
        name = str(action["Action"])
        if self.before is not None:
            await self.before(action)
        self.sent.append(dict(action))
        if name in self.refuses:
            raise RefusedError(f"{name}: refused by Asterisk")
        if name in self.swallows:
            raise AmiError(f"{name}: no answer from Asterisk")
        head = Message(
            {"Response": "Success", "Value": self.values.get(str(action.get("Variable")), "")}
        )
        entries = [Message(entry) for entry in self.lists.get(name, [])]
        return (
            [head, *entries, Message({"Event": f"{name}Complete"})]
            if name in self.lists
            else [head]
        )

    def names(self) -> list[str]:
        """The actions sent, without the looks at Asterisk's state."""
        looks = {"CoreShowChannels", "DeviceStateList", "DBGetTree", "Getvar"}
        return [str(action["Action"]) for action in self.sent if action["Action"] not in looks]


class FakeLedger:
    """Notes every entry; nothing is ever written."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def states(self) -> list[str]:
        """The states entered, in order."""
        return [entry.state.value for entry in self.entries if hasattr(entry, "state")]

    def outcomes(self) -> list[str]:
        """The outcomes the line told, in order."""
        return [e.outcome.code for e in self.entries if isinstance(e, Settlement)]


async def turns(count: int = 10) -> None:
    """Let what is ready run: tasks that wait for nothing but each other."""
    for _ in range(count):
        await asyncio.sleep(0)
