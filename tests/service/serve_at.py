"""The dialer as a process of its own at a pretended moment, with gaps short enough to meet calls again.

    python -m tests.service.serve_at SETTINGS.json SECRETS.json MOMENT SINCE

MOMENT (ISO) was at SINCE (Unix seconds): a process that is started again goes on with the same calendar.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from dialer import bootstrap, months
from dialer.clock import JumpClock
from dialer.logs import set_up_logs
from dialer.profiles import load_profile
from dialer.settings import Secrets, Settings
from rules.profile import Profile
from tests.plans import without_plan

RING_MIN_S, RING_LIMIT_S = 5, 6


def short_profile(profile: Profile) -> Profile:
    """Shorter rings, and no gaps: a number is called again as soon as its attempt has an outcome.

    So only the mechanisms keep a number from being called twice at once, not the contract's minutes.
    """
    gaps = (
        "failed_retry_min",
        "busy_retry_min",
        "abandon_gap_min",
        "case_gap_min",
        "household_gap_min",
    )
    rings = {"ring_min_s": RING_MIN_S, "ring_limit_s": RING_LIMIT_S, "setup_allowance_s": 10}
    return profile.model_copy(update={**dict.fromkeys(gaps, 0), **rings})


async def _serve(settings: Settings, secrets: Secrets, clock: JumpClock) -> None:
    profile = short_profile(load_profile(settings.service.profile, clock.now().date()))
    with (
        patch.object(bootstrap, "load_profile", lambda *_: profile),
        patch.object(months, "load_profile", lambda *_: profile),
    ):
        service = bootstrap.build(settings, secrets, clock, without_plan)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.request_stop)
        await service.run()


def main() -> None:
    """Serve until SIGTERM, or until killed."""
    settings_file, secrets_file, moment, since = sys.argv[1:]
    set_up_logs()
    settings = Settings.model_validate_json(Path(settings_file).read_text())
    secrets = Secrets.model_validate(json.loads(Path(secrets_file).read_text()))
    passed = timedelta(seconds=time.time() - float(since))
    asyncio.run(_serve(settings, secrets, JumpClock(datetime.fromisoformat(moment) + passed)))


if __name__ == "__main__":
    main()
