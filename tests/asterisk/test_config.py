"""The rendered configuration: what is in it, and that a real Asterisk has nothing to say against it."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dialer.ami import contract
from dialer.asterisk_config import dialplan_version, render
from dialer.errors import SettingsError
from dialer.settings import Settings, ensure_secrets
from tests.asterisk.pbx import POOL, settings_in, started_pbx

REGISTRATION = {"auth": "registration", "username": "0258990001", "password": "a;b c"}

TRUNKS = [
    # settings of the trunk, send_pai
    ({"identity": "both"}, "true"),
    ({"identity": "pai"}, "true"),
    ({"identity": "ppi"}, "false"),  # the service adds the header to its Originate
    ({"identity": "from"}, "false"),
    ({"prefix": "186"}, "true"),
    ({"early_media_rings": True}, "true"),
    (REGISTRATION, "true"),
]


CONTEXTS = (
    contract.ANSWERED, contract.CONNECT, contract.MESSAGE, contract.OPERATORS, contract.INBOUND,
    contract.CALLBACK, contract.CALLBACK_WAIT, contract.CALLBACK_CONNECT, contract.CALLBACK_ALONE,
    contract.CALLBACK_AGENT, contract.CALLBACK_MESSAGE,
)  # fmt: skip


def rendered(folder: Path, **trunk: object) -> dict[str, str]:
    settings = settings_in(folder, **trunk)
    render(
        settings, ensure_secrets(settings, folder / "s.toml"), folder / "s.toml", folder / "conf"
    )
    return {path.name: path.read_text() for path in (folder / "conf").iterdir()}


@pytest.mark.asterisk
@pytest.mark.parametrize(("trunk", "send_pai"), TRUNKS)
def test_asterisk_loads_it_without_a_warning(trunk: dict[str, object], send_pai: str) -> None:
    with started_pbx(**trunk) as pbx:
        assert pbx.asterisk.complaints() == []
        endpoint = pbx.asterisk.cli(f"pjsip show endpoint {contract.TRUNK}")
        assert re.search(rf"send_pai +: {send_pai}\b", endpoint)
        for extension in pbx.settings.operators.extensions():
            assert extension in pbx.asterisk.cli("agent show all")
        registrations = pbx.asterisk.cli("pjsip show registrations")
        assert (contract.TRUNK in registrations) == ("auth" in trunk)
        for context in CONTEXTS:
            assert "0 extensions" not in pbx.asterisk.cli(f"dialplan show {context}")


@pytest.mark.asterisk
def test_asterisk_listens_on_the_loopback_only() -> None:
    with started_pbx() as pbx:
        served = {pbx.settings.ami.port, pbx.settings.asterisk.sip_port}
        bound = [
            address
            for protocol, address, port in bound_by(pbx.asterisk.pid)
            # the SIP stack asks DNS servers from two UDP ports of its own choice; nobody is served there
            if protocol == "tcp" or port in served
        ]
        assert bound == ["127.0.0.1"] * len(served)


def bound_by(pid: int) -> list[tuple[str, str, int]]:
    """Protocol, address and port of every IPv4 or IPv6 socket a process listens on."""
    mine = {str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()}
    bound = []
    for table in ("tcp", "udp", "tcp6", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, remote, *rest = line.split()
            address, port = local.split(":")
            if f"socket:[{rest[6]}]" in mine and int(remote.split(":")[1], 16) == 0:
                octets = bytes.fromhex(address)[::-1]
                bound.append((table[:3], ".".join(map(str, octets)), int(port, 16)))
    return bound


# asterisklint knows the applications of Asterisk 11 only; that these exist the real one has shown.
NEWER = ("function 'AGENT' does not exist", "app 'WaitForSilence' does not exist")


def test_asterisklint_finds_nothing_in_the_dialplan(tmp_path: Path) -> None:
    rendered(tmp_path)
    lint = Path(sys.executable).with_name("asterisklint")
    extensions = tmp_path / "conf" / "extensions.conf"
    done = subprocess.run(
        [lint, "dialplan-check", extensions], capture_output=True, text=True, check=False
    )
    found = (done.stdout + done.stderr).splitlines()
    assert [line for line in found if not any(word in line for word in NEWER)] == []
    assert found, "asterisklint did not look at it"


def test_every_string_shared_with_the_service_is_in_the_dialplan(tmp_path: Path) -> None:
    texts = rendered(tmp_path)
    everything = "\n".join(texts.values())
    shared = {
        name: value
        for name, value in vars(contract).items()
        if name.isupper() and isinstance(value, str)
    }
    assert len(shared) > 20
    assert [name for name, value in shared.items() if value not in everything] == []
    for context in CONTEXTS:
        assert f"[{context}]" in texts["extensions.conf"]


def test_nobody_is_waited_for_longer_than_the_service_says(tmp_path: Path) -> None:
    limit = f"TIMEOUT(absolute)={contract.ANSWER_WITHIN_S}"
    assert limit in rendered(tmp_path)["extensions.conf"]


def test_rendering_again_changes_no_file_and_keeps_the_secrets(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path, conf = tmp_path / "s.toml", tmp_path / "conf"

    def render_once() -> tuple[str, dict[Path, int]]:
        version = render(settings, ensure_secrets(settings, path), path, conf)
        return version, {file: file.stat().st_mtime_ns for file in conf.iterdir()}

    assert render_once() == render_once()


def test_files_with_passwords_are_their_owners_alone(tmp_path: Path) -> None:
    texts = rendered(tmp_path)
    secrets = (tmp_path / "secrets.toml").read_text()
    passwords = re.findall(r'= "([^"]+)"', secrets)
    assert len(passwords) >= 4
    for name, text in texts.items():
        if any(password in text for password in passwords):
            assert stat.S_IMODE((tmp_path / "conf" / name).stat().st_mode) == 0o600, name


def test_the_version_is_a_global_variable_of_the_dialplan(tmp_path: Path) -> None:
    assert (
        f"\n{contract.DIALPLAN_VERSION}={dialplan_version()}\n"
        in rendered(tmp_path)["extensions.conf"]
    )


INJECTIONS = [
    # section, setting, value
    ("trunk", "host", "carrier.example\nsecret = x"),
    ("trunk", "host", "carrier.example\r\n[evil]"),
    ("trunk", "host", " carrier.example"),
    ("trunk", "password", "a\u2028b"),
    ("ami", "user", "x]\n[root"),
    ("ami", "user", "x](admin)"),
    ("ami", "host", "0.0.0.0\npermit = 0.0.0.0/0"),
    ("ami", "host", "localhost"),
    ("asterisk", "bind", "127.0.0.1\nlocal_net = x"),
    ("asterisk", "sounds_dir", "/tmp/a,b"),
    ("asterisk", "sounds_dir", "/tmp/${SHELL(id)}"),
    ("asterisk", "messages_dir", "/tmp/a)b"),
    ("asterisk", "run_dir", "/tmp/a\nb"),
    ("agi", "host", "127.0.0.1,x"),
    ("agi", "host", "127.0.0.1:1/x"),
]


@pytest.mark.parametrize(("section", "name", "value"), INJECTIONS)
def test_a_value_that_would_become_configuration_of_its_own_is_refused(
    tmp_path: Path, section: str, name: str, value: str
) -> None:
    sound = settings_in(tmp_path, **REGISTRATION).model_dump()
    sound[section][name] = value
    settings = Settings.model_validate(sound)
    with pytest.raises(SettingsError):
        render(
            settings, ensure_secrets(settings, tmp_path / "s.toml"), tmp_path / "s", tmp_path / "c"
        )
    assert not (tmp_path / "c").exists()


@pytest.mark.asterisk
def test_a_semicolon_in_a_password_does_not_begin_a_comment() -> None:
    with started_pbx(**REGISTRATION) as pbx:
        shown = pbx.asterisk.cli(f"pjsip show auth {contract.TRUNK}")
        assert re.search(r"password +: a;b c\b", shown)


def test_a_registration_without_a_password_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, auth="registration", username="x")
    path = tmp_path / "s.toml"
    with pytest.raises(SettingsError, match=r"trunk\.password"):
        render(settings, ensure_secrets(settings, path), path, tmp_path / "conf")


CONTACTS = [
    # account at the carrier, what calls are sent to
    ("0258990001", "0258990001"),
    ("city-hall", POOL[0]),  # the dialplan takes numbers only
]


@pytest.mark.parametrize(("username", "contact"), CONTACTS)
def test_the_carrier_is_told_a_number_to_send_calls_to(
    tmp_path: Path, username: str, contact: str
) -> None:
    pjsip = rendered(tmp_path, **REGISTRATION | {"username": username})["pjsip.conf"]
    assert f"contact_user = {contact}\n" in pjsip


@pytest.mark.asterisk
def test_the_carrier_is_known_by_its_address_and_not_by_a_name_it_is_called() -> None:
    with started_pbx() as pbx:
        endpoint = pbx.asterisk.cli(f"pjsip show endpoint {contract.TRUNK}")
        assert re.search(r"identify_by +: ip\n", endpoint)


ORDERS = [
    # address of the carrier (Asterisk's own is 127.0.0.1), what a call is known by first
    ("carrier.example", "ip"),
    ("127.0.0.1", "username"),  # a rehearsal: they are at the same address
]


@pytest.mark.parametrize(("carrier", "first"), ORDERS)
def test_what_the_carrier_sends_is_a_caller_whatever_they_are_called(
    tmp_path: Path, carrier: str, first: str
) -> None:
    pjsip = rendered(tmp_path, host=carrier)["pjsip.conf"]
    assert f"endpoint_identifier_order = {first}," in pjsip


def test_no_operator_number_leaves_over_the_trunk(tmp_path: Path) -> None:
    pjsip = rendered(tmp_path)["pjsip.conf"]
    trunk = pjsip.split(f"[{contract.TRUNK}]")[1]
    assert "send_connected_line = no" in trunk
