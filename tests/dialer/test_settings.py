"""The settings file and its secrets: read and checked before anything starts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dialer.errors import SettingsError
from dialer.settings import (
    Settings,
    ensure_secrets,
    load_secrets,
    load_settings,
    secrets_path,
)

LEAST = """
[trunk]
host = "192.0.2.1"
[caller_id]
pool = ["0258000001", "0258000002"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "yobirin.toml"


def load(path: Path, text: str) -> Settings:
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_trunk_and_caller_ids_are_all_that_must_be_told(path: Path) -> None:
    settings = load(path, LEAST)
    assert settings.trunk.host == "192.0.2.1"
    assert settings.operators.extensions() == [str(201 + number) for number in range(20)]


FAULTY = [
    # added or replaced text, the field named
    ("[trunk]\n", "trunk.host"),
    (LEAST + "[ami]\nprot = 5038\n", "ami.prot"),  # misspelt
    (LEAST + "[ami]\nport = 0\n", "ami.port"),
    (LEAST + "[ami]\nport = 65536\n", "ami.port"),
    (LEAST + "[nonsense]\n", "nonsense"),
    (LEAST.replace(', "0258000002"', ""), "caller_id.pool"),  # one line is none when it fails
    (LEAST.replace("0258000002", "06099990001"), "caller_id.pool.1"),
    (LEAST.replace("0258000002", "258000002"), "caller_id.pool.1"),
    (LEAST.replace("0258000002", "０２５８０００００２"), "caller_id.pool.1"),
    (LEAST.replace("0258000002", "0258000002\\n"), "caller_id.pool.1"),
    (LEAST + "[operators]\ncount = 0\n", "operators.count"),
    (LEAST.replace("[caller_id]", 'prefix = "185"\n[caller_id]'), "trunk.prefix"),
    (LEAST.replace("[caller_id]", "lines = 0\n[caller_id]"), "trunk.lines"),
    (LEAST.replace("[caller_id]", 'identity = "none"\n[caller_id]'), "trunk.identity"),
    (LEAST + "[service]\ndrain_s = -1\n", "service.drain_s"),
]


@pytest.mark.parametrize(("text", "field"), FAULTY)
def test_a_faulty_setting_is_named_with_its_file_in_one_line(
    path: Path, text: str, field: str
) -> None:
    with pytest.raises(SettingsError) as fault:
        load(path, text)
    assert str(fault.value).startswith(f"{path}: {field}: ")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    "content", [b"[trunk\n", b"\xff\xfe", "[trunk]\nhost = 架空".encode(), b"\x00"]
)
def test_what_is_no_toml_file_is_told_so(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not a TOML file"):
        load_settings(path)


def test_a_file_that_is_not_there_or_a_folder_is_told_so(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            load_settings(path)


def test_a_password_in_a_faulty_file_is_not_shown(path: Path) -> None:
    text = LEAST.replace("[caller_id]", 'password = "s3cret"\nauth = "s3cret"\n[caller_id]')
    with pytest.raises(SettingsError) as fault:
        load(path, text)
    assert "s3cret" not in str(fault.value)


def test_secrets_are_made_once_for_their_owner_alone(path: Path) -> None:
    settings = load(path, LEAST)
    made = ensure_secrets(settings, path)
    assert stat.S_IMODE(secrets_path(path).stat().st_mode) == 0o600
    assert load_secrets(path) == ensure_secrets(settings, path) == made
    assert set(made.sip) == set(settings.operators.extensions())
    assert len(set(made.sip.values())) == len(made.sip)


def test_new_extensions_get_secrets_and_the_old_ones_keep_theirs(path: Path) -> None:
    old = ensure_secrets(load(path, LEAST), path)
    new = ensure_secrets(load(path, LEAST + "[operators]\ncount = 25\n"), path)
    assert (new.ami, new.lookup_key) == (old.ami, old.lookup_key)
    assert old.sip.items() < new.sip.items()
    assert len(new.sip) == 25


def test_secrets_that_are_missing_or_damaged_are_told_without_their_content(path: Path) -> None:
    with pytest.raises(SettingsError, match="render"):
        load_secrets(path)
    made = ensure_secrets(load(path, LEAST), path)
    secrets_path(path).write_text(f'ami = "{made.ami}"\n', encoding="ascii")
    with pytest.raises(SettingsError, match="backup") as fault:
        load_secrets(path)
    assert made.ami not in str(fault.value)


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "yobirin.toml"
        made.append(ensure_secrets(load(path, LEAST), path))
    first, second = made
    assert {first.ami, first.lookup_key, *first.sip.values()}.isdisjoint(
        {second.ami, second.lookup_key, *second.sip.values()}
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_secrets_made_by_root_belong_to_the_owner_of_their_folder(path: Path) -> None:
    os.chown(path.parent, 65534, 65534)
    ensure_secrets(load(path, LEAST), path)
    made = secrets_path(path).stat()
    assert (made.st_uid, made.st_gid) == (65534, 65534)
