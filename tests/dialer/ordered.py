"""Profiles that the shipped one becomes by a change, and orders of them."""

from __future__ import annotations

from datetime import date, datetime

from dialer.profile_orders import Ordered, order
from dialer.profiles import ProfileText, read_profile
from tests.db.town import Town
from tests.rules.stories import changed

SHIPPED = read_profile("nagaoka-r8")
MOVED_ABROAD = (
    "  fax:\n",
    '  moved_abroad:\n    label: 国外転出\n    clause: 8(4)エ\n    effect: complete\n    counted: "yes"\n'
    "    by: [operator]\n    callback: true\n  fax:\n",
)
EARLY_CLOSING = (
    'weekday: {opens: "09:00", closes: "20:00"}',
    'weekday: {opens: "09:00", closes: "19:00"}',
)
TWO_ATTEMPTS = (
    '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n',
    '    - {from: 2026-09-01, value: 2, clause: "覚書1"}\n',
)
WITHOUT_BUTTON = (
    "    label: FAX回線\n    clause: 8(4)オ\n    effect: close_phone\n"
    '    counted: "yes"\n    by: [operator, line]\n',
    "    label: FAX回線\n    clause: 8(4)オ\n    effect: close_phone\n"
    '    counted: "yes"\n    by: [line]\n',
)
"""An operator can no longer choose `fax`."""
WITHOUT_FAX = (
    "  fax:\n    label: FAX回線\n    clause: 8(4)オ\n    effect: close_phone\n"
    '    counted: "yes"\n    by: [operator, line]\n',
    "",
)


def text(*changes: tuple[str, str]) -> ProfileText:
    """The shipped profile with places changed."""
    written = SHIPPED.text
    for old, new in changes:
        written = changed(old, new, written)
    return ProfileText(SHIPPED.name, written)


async def ordered(
    town: Town, written: ProfileText, from_day: date, at: datetime, name: str = "2026-09"
) -> Ordered:
    """Order it, in a transaction of its own."""
    async with town.sessions.write() as session:
        return await order(session, name, written, from_day=from_day, at=at, by="市担当")
