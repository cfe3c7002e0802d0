"""What `dialer doctor` finds on a sound installation, and on one broken in one way at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import operators
from db.session import make_sessions
from db.upgrade import upgrade
from dialer import asterisk_config, doctor
from dialer.ami import contract
from dialer.doctor import Finding
from dialer.settings import Settings
from tests.asterisk.callbacks import answering
from tests.asterisk.pbx import Pbx, settings_in, started_pbx
from tests.asterisk.phone import WAIT_S, Phone

pytestmark = pytest.mark.asterisk


async def examined(pbx: Pbx, **changed: object) -> dict[str, Finding]:
    """The findings by name, with some top-level settings changed."""
    settings = pbx.settings.model_copy(update=changed)
    findings = await doctor.check(settings, pbx.settings_path)
    assert len({finding.name for finding in findings}) == len(findings)
    assert all(finding.ok == (finding.what_to_do == "") for finding in findings)
    return {finding.name: finding for finding in findings}


def wrong(findings: dict[str, Finding]) -> set[str]:
    # the test machine's time zone is its own affair
    return {name for name, finding in findings.items() if not finding.ok} - {"time zone"}


async def sit_down(pbx: Pbx, *extensions: str) -> None:
    await upgrade(pbx.settings.service.database)
    sessions = make_sessions(pbx.settings.service.database)
    async with sessions.write() as session:
        for extension in extensions:
            await operators.add(session, extension, "試験", at=datetime.now(UTC), by="test")
    await sessions.close()


async def test_a_sound_installation_has_nothing_to_be_done() -> None:
    with started_pbx() as pbx:
        await sit_down(pbx, "201")
        pbx.settings.asterisk.messages_dir.mkdir()
        secret = pbx.secrets.sip["201"]
        sip = pbx.settings.asterisk.sip_port
        async with (
            Phone(sip, pbx.settings.trunk.port),
            Phone(sip, user="201", secret=secret) as phone,
            answering(pbx.settings),
        ):
            await phone.register()
            pbx.asterisk.cli(f"pjsip qualify {contract.TRUNK}")
            assert wrong(await until(pbx, lambda findings: not wrong(findings))) == set()


async def until(pbx: Pbx, done: Callable[[dict[str, Finding]], bool]) -> dict[str, Finding]:
    """Examine again until it is as wanted: Asterisk asks the carrier in its own time."""
    end = time.monotonic() + WAIT_S
    while not done(findings := await examined(pbx)) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    return findings


def bad_trunk(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"trunk": settings.trunk.model_copy(update={"prefix": "184"})}
    )


def bad_pool(settings: Settings) -> Settings:
    pool = settings.caller_id.model_copy(update={"pool": ["0258990001", "0120990001"]})
    return settings.model_copy(update={"caller_id": pool})


def bad_profile(settings: Settings) -> Settings:
    service = settings.service.model_copy(update={"profile": "nowhere-r1"})
    return settings.model_copy(update={"service": service})


def bad_sounds(settings: Settings) -> Settings:
    asterisk = settings.asterisk.model_copy(update={"sounds_dir": Path("/nowhere")})
    return settings.model_copy(update={"asterisk": asterisk})


def bad_database(settings: Settings) -> Settings:
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
    service = settings.service.model_copy(update={"database": url})
    return settings.model_copy(update={"service": service})


def bad_manager(settings: Settings) -> Settings:
    return settings.model_copy(update={"ami": settings.ami.model_copy(update={"port": 1})})


FAULTS = [
    (bad_trunk, "caller ID prefix", "184"),
    (bad_pool, "caller ID pool", "0120990001"),
    (bad_profile, "contract profile", "service.profile"),
    (bad_sounds, "sounds", "scripts.sounds"),
    (bad_database, "database", "service.database"),
    (bad_manager, "manager interface", "ami.port"),
]


@pytest.mark.parametrize(("spoil", "name", "word"), FAULTS)
async def test_a_fault_is_found_and_what_to_do_is_said(
    pbx: Pbx, spoil: Callable[[Settings], Settings], name: str, word: str
) -> None:
    findings = await doctor.check(spoil(pbx.settings), pbx.settings_path)
    found = {finding.name: finding for finding in findings}
    assert not found[name].ok
    assert word in found[name].what_to_do


async def test_an_installation_nobody_finished_has_all_of_it_to_be_done(pbx: Pbx) -> None:
    """No tables, no softphone, no carrier, nobody who answers callers: the first day."""
    assert wrong(await examined(pbx)) == {
        "database tables", "operators", "trunk", "callers' messages", "answers to callers",
    }  # fmt: skip


async def test_without_secrets_the_rendering_is_asked_for(tmp_path: Path) -> None:
    findings = await doctor.check(settings_in(tmp_path), tmp_path / "s.toml")
    (secrets,) = [finding for finding in findings if finding.name == "secrets"]
    assert "dialer asterisk render" in secrets.what_to_do


async def test_a_dialplan_of_another_version_is_found(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "dialplan_version", lambda: "another")
    assert "dialplan" in wrong(await examined(pbx))


async def test_too_few_privileges_are_found() -> None:
    with started_pbx() as pbx:
        manager = pbx.asterisk.conf_dir / "manager.conf"
        manager.write_text(manager.read_text().replace("write = originate,", "write = "))
        pbx.asterisk.cli("manager reload")
        finding = (await examined(pbx))["manager privileges"]
        assert finding.detail == "not allowed: Originate"


async def test_a_refused_registration_is_found(tmp_path: Path) -> None:
    trunk = {"auth": "registration", "username": "0258990001", "password": "x"}
    with started_pbx(**trunk) as pbx:
        assert not (await examined(pbx))["registration"].ok


async def test_an_operator_without_an_extension_is_found() -> None:
    with started_pbx() as pbx:
        await sit_down(pbx, "299")
        assert (await examined(pbx))["operators"].detail == "no such extension: 299"


def test_a_changed_template_changes_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asterisk_config.dialplan_version()
    (tmp_path / "extensions.conf.j2").write_text("[yobirin-answered]\n")
    monkeypatch.setattr(asterisk_config, "_TEMPLATES", tmp_path)
    assert asterisk_config.dialplan_version() != before
