"""A PBX as the project configures it, on a real Asterisk, with a free port for a carrier."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dialer.ami import contract
from dialer.ami.link import Link
from dialer.asterisk_config import render
from dialer.settings import Secrets, Settings, ensure_secrets
from rules import sounds
from scripts.asterisk.instance import RunningAsterisk, start_asterisk
from scripts.asterisk.ports import free_port, free_range
from tests.asterisk import tones

POOL = ["0258990001", "0258990002"]
_RTP_PORTS = 200
_FOLDERS = ("run", "var", "spool", "log", "sounds", "messages")
ANSWER_WITHIN_S = 3
"""So long this PBX waits for an answer: tests answer by themselves, and the machine may be slow."""
LONG_S = 20.0
"""Of the message `ordered(2)`: it is cut short, however slow the machine is."""
_SOUNDS = {
    contract.SOUND_COURTESY: (tones.COURTESY_HZ, 1.5),
    contract.SOUND_VOICEMAIL: (tones.VOICEMAIL_HZ, 3.0),
    contract.SOUND_GUIDANCE: (tones.GUIDANCE_HZ, 1.5),
    contract.SOUND_WAIT: (tones.WAIT_HZ, 1.0),
    contract.SOUND_ASKED_BACK: (tones.ASKED_BACK_HZ, 1.0),
    contract.SOUND_LEAVE_MESSAGE: (tones.LEAVE_MESSAGE_HZ, 0.7),
    contract.SOUND_BEEP: (tones.BEEP_HZ, 0.3),
    contract.SOUND_MESSAGE_TAKEN: (tones.MESSAGE_TAKEN_HZ, 0.7),
    contract.SOUND_CONNECT: (None, 0.0),
    contract.SOUND_SILENCE: (None, 10.0),
    sounds.KEYS_BOTH: (tones.KEYS_HZ, 0.5),
    sounds.KEYS_MESSAGE: (tones.KEYS_HZ, 0.5),
    sounds.position(1): (tones.POSITION_HZ, 0.5),
    sounds.ordered(1): (tones.ORDERED_HZ, 0.5),
    sounds.ordered(2): (tones.ORDERED_HZ, LONG_S),
}
_OTHERS = (tones.OTHER_HZ, 0.3)


@dataclass
class Pbx:
    """One running PBX."""

    settings: Settings
    secrets: Secrets
    settings_path: Path
    asterisk: RunningAsterisk

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """A manager session."""
        link = Link(self.settings.ami, self.secrets.ami)
        await link.connect()
        try:
            yield link
        finally:
            link.close()


def settings_in(work_dir: Path, **trunk: Any) -> Settings:
    """Settings with all folders in `work_dir` and free ports; `trunk` changes that section."""
    first = free_range(_RTP_PORTS)
    folders = {f"{name}_dir": work_dir / name for name in _FOLDERS}
    return Settings.model_validate(
        {
            "trunk": {"host": "127.0.0.1", "port": free_port(), **trunk},
            "caller_id": {"pool": POOL},
            "operators": {"count": 3},
            "ami": {"port": free_port()},
            "agi": {"port": free_port(), "board": work_dir / "board.json"},
            "service": {"database": f"sqlite+aiosqlite:///{work_dir}/yobirin.db"},
            "asterisk": {
                "sip_port": free_port(),
                "rtp_start": first,
                "rtp_end": first + _RTP_PORTS - 1,
                **folders,
            },
        }
    )


@contextmanager
def work_dir() -> Iterator[Path]:
    """A folder with a short name: the path of Asterisk's control socket has a limit."""
    folder = Path(tempfile.mkdtemp(prefix="yobirin-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def started_pbx(**trunk: Any) -> Iterator[Pbx]:
    """A PBX that runs as long as the block."""
    with work_dir() as folder:
        settings = settings_in(folder, **trunk)
        settings_path = folder / "yobirin.toml"
        secrets = ensure_secrets(settings, settings_path)
        write_sounds(settings.asterisk.sounds_dir)
        with patch.object(contract, "ANSWER_WITHIN_S", ANSWER_WITHIN_S):
            render(settings, secrets, settings_path, folder / "conf")
        with start_asterisk(folder / "conf", folder) as asterisk:
            yield Pbx(settings, secrets, settings_path, asterisk)


def write_sounds(folder: Path) -> None:
    """A tone of its own for each prompt."""
    folder.mkdir()
    told = dict.fromkeys(contract.SOUNDS, _OTHERS) | _SOUNDS
    for name, (hz, seconds) in told.items():
        tones.write_wav(folder / f"{name}.wav", hz, seconds)
