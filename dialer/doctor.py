"""Checks everything that could be wrong with an installation, and says what to do about it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from panoramisk.message import Message

from agi.settings import Agi
from db import clock as database_clock
from db import durability, operators
from db.session import make_sessions
from db.upgrade import head, revision_of
from dialer.ami import contract
from dialer.ami.link import Link
from dialer.asterisk_config import dialplan_version
from dialer.clock import Clock, SystemClock
from dialer.errors import AmiError, DatabaseError, SettingsError
from dialer.profiles import load_profile
from dialer.settings import Secrets, Settings, Trunk, load_secrets
from rules.profile import Profile, ProfileError

OLDEST_ASTERISK = 20
CLOCKS_APART = timedelta(seconds=2)
"""Longest difference between this machine's clock and another's that is nothing to speak of."""
_JST = timedelta(hours=9)
_CONNECT_WITHIN_S = 5.0
_RENDER = "run `dialer asterisk render DIR` and reload Asterisk (`asterisk -rx 'core reload'`)"
_ACTIONS = (
    "Originate", "Redirect", "Hangup", "CoreShowChannels", "Agents", "DBGetTree", "DBDel",
    "DeviceStateList", "Getvar", "CoreSettings", "CoreStatus", "Ping",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    """What was found; no personal data."""
    what_to_do: str
    """Empty if it is well."""


async def check(settings: Settings, settings_path: Path) -> list[Finding]:
    """Look at everything; what cannot be reached is a finding, never an exception."""
    clock = SystemClock()
    findings = [*_settings(settings, clock), _sounds(settings), _messages(settings)]
    findings += [_time_zone(clock), await _answers_to_callers(settings.agi)]
    findings += await _database(settings, clock)
    try:
        secrets = load_secrets(settings_path)
    except SettingsError as error:
        return [*findings, Finding("secrets", False, str(error), _RENDER)]
    return findings + await _asterisk(settings, secrets)


def _settings(settings: Settings, clock: Clock) -> list[Finding]:
    found = [_prefix(settings.trunk)]
    try:
        profile = load_profile(settings.service.profile, clock.now().date())
    except ProfileError as error:
        return [*found, Finding("contract profile", False, str(error), "correct service.profile")]
    return [
        *found,
        Finding("contract profile", True, f"{profile.name}: {profile.title}", ""),
        _pool(settings, profile),
    ]


def _prefix(trunk: Trunk) -> Finding:
    return _finding(
        "caller ID prefix",
        trunk.prefix != "184",
        f"trunk.prefix is {trunk.prefix!r}",
        "184 hides the caller ID, which the contract forbids (§11(2)): use 186 or no prefix",
    )


def _pool(settings: Settings, profile: Profile) -> Finding:
    refused = [n for n in settings.caller_id.pool if n.startswith(profile.forbidden_caller_ids)]
    return _finding(
        "caller ID pool",
        not refused,
        f"{len(settings.caller_id.pool)} numbers, {len(refused)} of a kind the contract refuses",
        f"replace {', '.join(refused)} in caller_id.pool by geographic numbers (§11(2)ウ)",
    )


def _sounds(settings: Settings) -> Finding:
    folder = settings.asterisk.sounds_dir
    # access, not is_file: a folder we may not enter is no exception but something to tell
    missing = [n for n in contract.SOUNDS if not os.access(folder / f"{n}.wav", os.R_OK)]
    return _finding(
        "sounds",
        not missing,
        f"{len(missing)} missing or not readable: {', '.join(missing[:5])} …"
        if missing
        else f"all {len(contract.SOUNDS)} there",
        "make them, in the project's folder: "
        f"`.venv/bin/python -m scripts.sounds {folder} {settings.service.profile}`",
    )


def _messages(settings: Settings) -> Finding:
    folder = settings.asterisk.messages_dir
    return _finding(
        "callers' messages",
        os.access(folder, os.R_OK | os.W_OK | os.X_OK),
        str(folder),
        "no such folder, or not ours to read and to clear: "
        f"`install -d -o asterisk -g yobirin -m 2770 {folder}` (as root; Asterisk writes there)",
    )


async def _answers_to_callers(agi: Agi) -> Finding:
    where = f"{agi.host}:{agi.port}"
    try:
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(agi.host, agi.port)
        writer.close()
    except (OSError, TimeoutError) as error:
        hint = "start it (`systemctl start yobirin-agi`); until then Asterisk serves callers alone"
        return Finding("answers to callers", False, f"{where}: {type(error).__name__}", hint)
    return Finding("answers to callers", True, f"somebody listens at {where}", "")


def _time_zone(clock: Clock) -> Finding:
    offset = datetime.now().astimezone().utcoffset()
    return _finding(
        "time zone",
        offset == _JST,
        f"the machine is {offset} ahead of UTC; calling hours go by {clock.now():%H:%M} Japan time",
        "logs and the operators' times differ from the wall clock: `timedatectl set-timezone "
        "Asia/Tokyo`",
    )


async def _database(settings: Settings, clock: Clock) -> list[Finding]:
    url = settings.service.database
    try:
        there, wanted = await revision_of(url), head()
        reached = Finding("database", True, "answers", "")
        migrated = _finding(
            "database tables",
            there == wanted,
            f"revision {there or 'none'}, wanted {wanted}",
            "run `dialer db upgrade`",
        )
        # the calls on record are asked for too: without its tables there are none to ask
        clocks = await _clocks(settings, clock) if migrated.ok else []
        return [reached, await _commits(url), migrated, *clocks]
    except DatabaseError as error:
        hint = "start the database, or correct service.database in the settings"
        return [Finding("database", False, str(error), hint)]


async def _commits(url: str) -> Finding:
    sessions = make_sessions(url)
    try:
        async with sessions.read() as session:
            setting = await durability.synchronous_commit(session)
    finally:
        await sessions.close()
    return _finding(
        "confirmed commits",
        setting != "off",
        "SQLite keeps them" if setting is None else f"synchronous_commit is {setting}",
        "a crash of PostgreSQL would forget calls that were placed, and the service would write nothing "
        "more until it is started again: `ALTER DATABASE … SET synchronous_commit = on`, then restart "
        "the service",
    )


async def _clocks(settings: Settings, clock: Clock) -> list[Finding]:
    bound = timedelta(seconds=settings.service.clock_bound_s)
    sessions = make_sessions(settings.service.database)
    try:
        async with sessions.read() as session:
            told = await database_clock.ask(session)
    finally:
        await sessions.close()
    now = clock.now()
    apart = abs((told.now or now) - now)
    ahead = max((told.newest_placed or now) - now, timedelta())
    return [
        _finding(
            "clock",
            apart <= CLOCKS_APART,
            f"{apart.total_seconds():.1f} s from the database's"
            if told.now
            else "SQLite has none but this machine's to compare it with",
            "let both machines follow a time server (`timedatectl set-ntp true`); nothing is dialled "
            f"while they are more than {bound.total_seconds():.0f} s apart",
        ),
        _finding(
            "newest call on record",
            ahead <= bound,
            f"{ahead.total_seconds():.0f} s in the future" if ahead else "in the past, or none",
            "set this machine's clock right; if it is, it ran ahead when that call was placed, and "
            "dialling goes on when that moment has passed",
        ),
    ]


async def _asterisk(settings: Settings, secrets: Secrets) -> list[Finding]:
    try:
        async with _linked(settings, secrets) as link:
            reached = Finding("manager interface", True, "logged in", "")
            devices = await _device_states(link)
            found = [
                reached,
                await _version(link),
                await _privileges(link),
                await _dialplan(link),
                _trunk(settings.trunk, devices),
                await _operators(settings, devices),
            ]
            if settings.trunk.auth == "registration":
                found.append(await _registration(link))
            return found
    except AmiError as error:
        hint = f"start Asterisk, look at ami.host and ami.port; if the login is refused, {_RENDER}"
        return [Finding("manager interface", False, str(error), hint)]


@asynccontextmanager
async def _linked(settings: Settings, secrets: Secrets) -> AsyncIterator[Link]:
    link = Link(settings.ami, secrets.ami)
    await link.connect(_CONNECT_WITHIN_S)
    try:
        yield link
    finally:
        link.close()


async def _version(link: Link) -> Finding:
    said = str((await link.act({"Action": "CoreSettings"}))[0].asteriskversion)
    major = re.match(r"(?:certified/)?(\d+)", said)
    return _finding(
        "Asterisk version",
        major is not None and int(major[1]) >= OLDEST_ASTERISK,
        said,
        f"install Asterisk {OLDEST_ASTERISK} or newer",
    )


async def _privileges(link: Link) -> Finding:
    allowed = (await link.act({"Action": "ListCommands"}))[0]
    missing = [action for action in _ACTIONS if action not in allowed]
    return _finding(
        "manager privileges",
        not missing,
        f"not allowed: {', '.join(missing)}" if missing else "sufficient",
        _RENDER,
    )


async def _dialplan(link: Link) -> Finding:
    answer = await link.act({"Action": "Getvar", "Variable": contract.DIALPLAN_VERSION})
    there, ours = str(answer[0].value), dialplan_version()
    return _finding(
        "dialplan", there == ours, f"version {there or 'none'}, ours is {ours}", _RENDER
    )


async def _device_states(link: Link) -> dict[str, str]:
    listed: list[Message] = await link.act({"Action": "DeviceStateList"})
    return {str(m.device): str(m.state) for m in listed if m.event == "DeviceStateChange"}


def _trunk(trunk: Trunk, devices: dict[str, str]) -> Finding:
    state = devices.get(f"PJSIP/{contract.TRUNK}", "UNKNOWN")
    return _finding(
        "trunk",
        state not in ("UNAVAILABLE", "INVALID", "UNKNOWN"),
        state,
        f"{trunk.host}:{trunk.port} does not answer SIP OPTIONS: look at trunk.host, trunk.port, "
        "asterisk.bind, the firewall, and ask the carrier",
    )


async def _registration(link: Link) -> Finding:
    listed = await link.act({"Action": "PJSIPShowRegistrationsOutbound"})
    states = [str(m.status) for m in listed if m.event == "OutboundRegistrationDetail"]
    return _finding(
        "registration",
        states == ["Registered"],
        ", ".join(states) or "none",
        "look at trunk.username and trunk.password, and ask the carrier",
    )


async def _operators(settings: Settings, devices: dict[str, str]) -> Finding:
    wanted = await _active_operators(settings)
    away = [e for e in wanted if devices.get(f"PJSIP/{e}", "UNAVAILABLE") == "UNAVAILABLE"]
    unknown = [e for e in wanted if e not in settings.operators.extensions()]
    if unknown:
        hint = f"give {', '.join(unknown)} another extension, or raise operators.count; then render"
        return Finding("operators", False, f"no such extension: {', '.join(unknown)}", hint)
    return _finding(
        "operators",
        bool(wanted) and not away,
        f"{len(wanted) - len(away)} of {len(wanted)} softphones registered",
        f"register the softphones of {', '.join(away)}" if away else "run `dialer operator add`",
    )


async def _active_operators(settings: Settings) -> list[str]:
    """Extensions at which somebody sits; none if the database does not say."""
    sessions = make_sessions(settings.service.database)
    try:
        async with sessions.read() as session:
            return [o.id for o in await operators.all_operators(session) if o.active]
    except DatabaseError:
        return []
    finally:
        await sessions.close()


def _finding(name: str, ok: bool, detail: str, what_to_do: str) -> Finding:
    return Finding(name, ok, detail, "" if ok else what_to_do)
