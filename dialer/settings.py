"""The one settings file (TOML), checked before anything starts.

`asterisk-conf/` is rendered from it, the service and the CLI read it. Secrets live beside it in
`secrets.toml` (mode 0600), generated once by `dialer asterisk render`.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agi.settings import SOUNDS_DIR, Agi
from dialer.errors import SettingsError

Digits = Annotated[str, StringConstraints(pattern=r"^0[0-9]{9}$")]
"""A geographic number as dialled in Japan: ten digits, trunk 0 first."""


class Section(BaseModel):
    """Unknown keys are errors: a misspelt setting must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ami(Section):
    """Where Asterisk's manager interface listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    user: str = "yobirin"


class Http(Section):
    """Where the operators' screens and the metrics are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8480


class Trunk(Section):
    """The carrier's line."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 5060
    auth: Literal["ip", "registration"] = "ip"
    username: str | None = None
    password: str | None = None
    identity: Literal["from", "pai", "ppi", "both"] = "both"
    """Which headers beside From carry the caller ID: `both` is PAI and PPI (RFC 3325)."""
    prefix: Literal["", "184", "186"] = ""
    """Dialled before the number; 186 presents the caller ID, 184 hides it (refused by the contract)."""
    early_media_rings: bool = False
    """Whether a 183 with audio counts as ringing (§8(5)ア; the trunk's habit)."""
    qualify_s: Annotated[int, Field(ge=0, le=3600)] = 30
    """Seconds between two questions whether the carrier is there (SIP OPTIONS); 0 for a carrier that does
    not answer them: a trunk that is asked and does not answer gets no call."""
    lines: Annotated[int, Field(ge=1, le=2000)] = 10
    """Calls the carrier allows at once."""


class CallerId(Section):
    """The numbers presented to the called; the first one until `dialer caller-id` says another
    (§11(2)イウ)."""

    pool: Annotated[list[Digits], Field(min_length=2)]


class Operators(Section):
    """Extensions that exist on the PBX; who sits there is told by `dialer operator add`."""

    first_extension: Annotated[int, Field(ge=100, le=9000)] = 201
    count: Annotated[int, Field(ge=1, le=500)] = 20

    def extensions(self) -> list[str]:
        """The extensions, as the dialplan and the agents know them."""
        return [str(self.first_extension + i) for i in range(self.count)]


class Asterisk(Section):
    """Ports and folders of the PBX."""

    bind: str = "127.0.0.1"
    sip_port: Annotated[int, Field(ge=1, le=65535)] = 5060
    rtp_start: Annotated[int, Field(ge=1024, le=65000)] = 10000
    rtp_end: Annotated[int, Field(ge=1025, le=65535)] = 14999
    local_net: list[IPv4Network] = [IPv4Network("127.0.0.0/8")]
    """Networks from which softphones may register."""
    run_dir: Path = Path("/var/run/asterisk")
    var_dir: Path = Path("/var/lib/asterisk")
    spool_dir: Path = Path("/var/spool/asterisk")
    log_dir: Path = Path("/var/log/asterisk")
    sounds_dir: Path = SOUNDS_DIR
    messages_dir: Path = Path("/var/spool/asterisk/yobirin")
    """Where Asterisk puts what callers leave as a message."""


class Service(Section):
    """How the service behaves where the contract is silent."""

    database: str = "sqlite+aiosqlite:///yobirin.db"
    profile: str = "nagaoka-r8"
    """Name of a contract profile that ships, or the path of a file (`….yaml`)."""
    drain_s: Annotated[float, Field(ge=0, le=7200)] = 900.0
    """Seconds that talks get to end after SIGTERM."""
    clock_bound_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Seconds by which the clock may differ from the database's, and jump, before dialling stops."""


class Settings(Section):
    """Everything that is set once per installation."""

    service: Service = Service()
    ami: Ami = Ami()
    http: Http = Http()
    trunk: Trunk
    caller_id: CallerId
    operators: Operators = Operators()
    asterisk: Asterisk = Asterisk()
    agi: Agi = Agi()


class Secrets(Section):
    """Generated once, never shown."""

    ami: str
    lookup_key: str
    """Key of the hashes by which persons, households and numbers are found (`db.keys`)."""
    sip: dict[str, str]
    """Extension → SIP password."""


def load_settings(path: Path) -> Settings:
    """Read and check the settings file.

    Raises:
        SettingsError: with file and field, or file and line, and what is wrong.
    """
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        hint = "name the settings file by --settings or YOBIRIN_SETTINGS"
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); {hint}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file ({error})") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {field}: {first['msg']}") from error


def secrets_path(settings_path: Path) -> Path:
    """`secrets.toml` beside the settings file."""
    return settings_path.with_name("secrets.toml")


def load_secrets(settings_path: Path) -> Secrets:
    """Read the generated secrets.

    Raises:
        SettingsError: they are not there yet, or damaged.
    """
    path = secrets_path(settings_path)
    try:
        return Secrets.model_validate(tomllib.loads(path.read_text(encoding="ascii")))
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: missing; run `dialer asterisk render` first") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be used; restore it from its backup") from error


def ensure_secrets(settings: Settings, settings_path: Path) -> Secrets:
    """Load the secrets; generate what is missing (a first run, or new extensions)."""
    path = secrets_path(settings_path)
    old = load_secrets(settings_path) if path.exists() else None
    sip = dict(old.sip) if old else {}
    for extension in settings.operators.extensions():
        sip.setdefault(extension, secrets.token_urlsafe(24))
    made = Secrets(
        ami=old.ami if old else secrets.token_urlsafe(24),
        lookup_key=old.lookup_key if old else secrets.token_hex(32),
        sip=sip,
    )
    if made != old:
        _write_private(path, made)
    return made


def _write_private(path: Path, made: Secrets) -> None:
    lines = [f'ami = "{made.ami}"', f'lookup_key = "{made.lookup_key}"', "", "[sip]"]
    lines += [f'{extension} = "{secret}"' for extension, secret in made.sip.items()]
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        if os.geteuid() == 0:  # rendered by root, read by a service that seldom runs as root
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
