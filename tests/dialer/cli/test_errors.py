"""What goes wrong is one line on stderr and an exit status; never a traceback, never a person."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.cli import campaign as campaign_verbs
from dialer.cli.app import run
from tests.dialer.cli.conftest import PERSON, House

PERIOD = ["--from", "2026-09-18", "--to", "2026-09-24"]


def nothing(house: House) -> None:
    """The installation as it is."""


def without_settings(house: House) -> None:
    house.settings.unlink()


def with_broken_settings(house: House) -> None:
    house.settings.write_text("[trunk\n", encoding="utf-8")


def with_a_misspelt_setting(house: House) -> None:
    house.settings.write_text(
        house.settings.read_text(encoding="utf-8") + 'hots = "x"\n', encoding="utf-8"
    )


def without_tables(house: House) -> None:
    (house.folder / "yobirin.db").unlink()


def with_a_damaged_database(house: House) -> None:
    (house.folder / "yobirin.db").write_bytes(b"not a database" * 100)


def without_secrets(house: House) -> None:
    (house.folder / "secrets.toml").unlink()


def with_two_persons_of_one_reference(house: House) -> None:
    house.run("campaign", "create", "2026-10", "--from", "2026-10-20", "--to", "2026-10-27")
    house.add_case("2026-09", "1", person="P")
    house.add_case("2026-10", "1", person="Q")


def with_an_operator(house: House) -> None:
    house.run("operator", "add", "201", "--name", "甲")


def with_an_emergency_stop(house: House) -> None:
    house.run("emergency", "stop", "--yes")


def with_an_empty_file(house: House) -> None:
    (house.folder / "file.csv").write_bytes(b"")


def with_a_file_where_the_folder_should_be(house: House) -> None:
    (house.folder / "out").write_bytes(b"")


BY = ["--by", "w", "--yes"]
TAKEN_IN = ["--campaign", "2026-09", "--handed-by", "w"]

ERRORS = [
    # the command line
    (nothing, [], 2, "Missing command"),
    (nothing, ["call"], 2, "No such command 'call'"),
    (nothing, ["campaign"], 2, "Missing command"),
    (nothing, ["campaign", "create"], 2, "Missing argument 'NAME'"),
    (nothing, ["campaign", "create", "x", "--from", "2026-09-31", "--to", "2026-10-01"], 2, "--from"),
    (nothing, ["campaign", "list", "--yaml"], 2, "No such option: --yaml"),
    (nothing, ["campaign", "create", "../x", *PERIOD], 2, "letters, digits"),
    (nothing, ["cases", "list", "--campaign", "2026-09", "--status", "lost"], 2, "'lost' is not one of"),
    (nothing, ["status", "--watch", "--json"], 2, "do not go together"),
    # settings and secrets
    (without_settings, ["campaign", "list"], 3, "No such file"),
    (with_broken_settings, ["campaign", "list"], 3, "not a TOML file"),
    (with_a_misspelt_setting, ["campaign", "list"], 3, "http.hots"),
    (without_secrets, ["cases", "import", "x", *TAKEN_IN], 3, "render"),
    # the database
    (without_tables, ["campaign", "list"], 7, "dialer db upgrade"),
    (with_a_damaged_database, ["campaign", "list"], 7, "the database"),
    (with_a_damaged_database, ["db", "upgrade"], 7, "the database"),
    # what does not exist
    (nothing, ["campaign", "start", "2026-08"], 5, "campaign 2026-08: does not exist"),
    (nothing, ["campaign", "exclude", "2026-08", "2026-08-20", "--yes"], 5, "does not exist"),
    (nothing, ["cases", "list", "--campaign", "2026-08"], 5, "does not exist"),
    (nothing, ["case", "show", "9"], 5, "case 9: does not exist"),
    (nothing, ["stop-order", "add", "9", *BY], 5, "case 9: does not exist"),
    (nothing, ["operator", "add", "999", "--name", "x"], 5, "no such extension"),
    (nothing, ["operator", "remove", "201", "--yes"], 5, "operator 201: does not exist"),
    (nothing, ["report", "daily", "--date", "2026-08-01"], 5, "no campaign"),
    (nothing, ["report", "daily", "--campaign", "2026-08"], 5, "campaign 2026-08: does not exist"),
    # what does not fit
    (nothing, ["campaign", "create", "2026-09", *PERIOD], 6, "exists already"),
    (nothing, ["campaign", "create", "x", "--from", "2026-09-24", "--to", "2026-09-18"], 6, "ends before"),
    (nothing, ["campaign", "pause", "2026-09"], 6, "is draft, cannot become paused"),
    (nothing, ["campaign", "exclude", "2026-09", "2026-09-25", "--yes"], 6, "not in its calling period"),
    (with_two_persons_of_one_reference, ["stop-order", "add", "1", *BY], 6, "several persons"),
    (with_an_operator, ["operator", "add", "201", "--name", "乙"], 6, "exists already"),
    (with_an_emergency_stop, ["emergency", "stop", "--yes"], 6, "stands already"),
    (nothing, ["emergency", "lift", "--yes"], 6, "no emergency stop stands"),
    # files
    (with_an_empty_file, ["cases", "import", "file.csv", *TAKEN_IN], 4, "空"),
    (nothing, ["cases", "import", "none.csv", *TAKEN_IN], 4, "ファイル"),
    (
        with_a_file_where_the_folder_should_be,
        ["report", "daily", "--campaign", "2026-09", "--out", "out/x"],
        12,
        "cannot be written",
    ),
    (nothing, ["rules", "check", "none.yaml"], 10, "none.yaml: cannot be read"),
    # the service
    (nothing, ["status"], 11, "start it with `dialer serve`"),
    (nothing, ["status", "--watch"], 11, "start it with `dialer serve`"),
    (without_tables, ["serve"], 7, "dialer db upgrade"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "arguments", "status", "says"), ERRORS, ids=[" ".join(row[1]) for row in ERRORS]
)
def test_an_error_is_one_line_and_a_status(
    month: House,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[House], None],
    arguments: list[str],
    status: int,
    says: str,
) -> None:
    monkeypatch.chdir(month.folder)
    spoil(month)
    done = month.run(*arguments)
    assert done.status == status, done
    assert says in done.err
    assert done.err.startswith("dialer: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


DESTRUCTIVE = [
    ["campaign", "close", "2026-09"],
    ["campaign", "exclude", "2026-09", "2026-09-20"],
    ["emergency", "stop"],
    ["emergency", "lift"],
    ["operator", "remove", "201"],
    ["stop-order", "add", "1", "--by", "w"],
    ["stop-order", "lift", "1", "--by", "w"],
]


@pytest.mark.parametrize("answer", ["n\n", ""], ids=["no", "nobody there"])
@pytest.mark.parametrize("arguments", DESTRUCTIVE, ids=[" ".join(row) for row in DESTRUCTIVE])
def test_a_destructive_verb_does_nothing_without_a_yes(
    month: House, monkeypatch: pytest.MonkeyPatch, arguments: list[str], answer: str
) -> None:
    month.add_case("2026-09", "1")
    before = (month.folder / "yobirin.db").read_bytes()
    reader, writer = os.pipe()
    os.write(writer, answer.encode())
    os.close(writer)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        done = month.run(*arguments)
    assert done.status == 1
    assert done.err.endswith("dialer: not done: not confirmed\n")
    assert (month.folder / "yobirin.db").read_bytes() == before


def test_the_settings_file_may_be_named_by_the_environment(
    month: House, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert run(["campaign", "list"]) == 3
    monkeypatch.setenv("YOBIRIN_SETTINGS", str(month.settings))
    assert run(["campaign", "list"]) == 0


def test_an_error_nobody_foresaw_shows_its_place_and_not_its_text(
    month: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(PERSON["name"])

    monkeypatch.setattr(campaign_verbs, "print_json", broken)
    done = month.run("campaign", "list", "--json")
    assert done.status == 1
    assert done.err.startswith("dialer: internal error: ValueError in ")
    assert PERSON["name"] not in done.err


def test_a_folder_as_settings_file_is_told_as_such(tmp_path: Path) -> None:
    assert run(["--settings", str(tmp_path), "campaign", "list"]) == 3
