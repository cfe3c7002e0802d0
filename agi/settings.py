"""The part of the settings file that whoever answers callers needs."""

from __future__ import annotations

import tomllib
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SOUNDS_DIR = Path("/var/lib/asterisk/sounds/yobirin")
"""Where sounds are, if the settings do not say."""


class AgiSettingsError(Exception):
    """The settings file cannot be used; the text names file and field."""


class Agi(BaseModel):
    """The section `[agi]`: where Asterisk asks what a caller gets, and the board that tells it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 4573
    allowed: list[IPv4Network] = [IPv4Network("127.0.0.0/8")]
    """Networks from which Asterisk may ask."""
    board: Path = Path("/var/lib/yobirin/board.json")
    """Written by the dialer, in a folder it may write to."""


class _Asterisk(BaseModel):
    sounds_dir: Annotated[str, Field(pattern=r"^[\w./+-]+$")] = str(SOUNDS_DIR)


class AgiSettings(BaseModel):
    """What `yobirin-agi` reads of the file; the rest of it is the dialer's."""

    model_config = ConfigDict(frozen=True)

    agi: Agi = Agi()
    asterisk: _Asterisk = _Asterisk()


def load_agi_settings(path: Path) -> AgiSettings:
    """Read and check what is needed.

    Raises:
        AgiSettingsError: with file and field, and what is wrong.
    """
    try:
        return AgiSettings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise AgiSettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AgiSettingsError(f"{path}: not a TOML file") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise AgiSettingsError(f"{path}: {field}: {first['msg']}") from error
