"""A process that makes one plan: its order comes on the standard input."""

from __future__ import annotations

import asyncio
import os
import sys

import structlog

from db.session import make_sessions
from dialer.logs import set_up_logs
from dialer.planning.make import plan_campaign
from dialer.planning.order import Order

NICE = 10
"""Calls go first where the processor is short."""


async def carry_out(order: Order) -> None:
    """Make the plan and write it."""
    sessions = make_sessions(order.database)
    try:
        await plan_campaign(sessions, order.campaign, order.now, order.by)
    finally:
        await sessions.close()


def main() -> int:
    """The process."""
    set_up_logs()
    os.nice(NICE)
    order = Order.model_validate_json(sys.stdin.buffer.read())
    try:
        asyncio.run(carry_out(order))
    except Exception as error:  # told in our log, whose words are checked, and not as a traceback
        structlog.get_logger().error("planning_failed", campaign=order.campaign, error=error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
