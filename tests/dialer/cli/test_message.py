"""`dialer message …`: ordered, put where Asterisk plays it, and told to the service; or nothing of all."""

from __future__ import annotations

import json
import stat
import sys
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices, ordered_messages
from db.tables import Notice
from dialer import speech
from dialer.cli.work import now
from dialer.inbox import _ACTS
from tests.dialer.cli.conftest import House

TEXT = "本日は大雪のため、受付を午後3時に終わります。"


@pytest.fixture(autouse=True)
def sounds(house: House) -> Path:
    """The folder Asterisk plays from."""
    folder = house.folder / "sounds"
    folder.mkdir()
    with house.settings.open("a", encoding="utf-8") as file:
        file.write(f'[asterisk]\nsounds_dir = "{folder}"\n')
    return folder


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the synthesiser, which is slow, was asked to say."""
    words: list[str] = []

    def speak(text: str, path: Path, **_: float) -> None:
        words.append(text)
        write_wav(path)

    monkeypatch.setattr(speech, "speak", speak)
    return words


def write_wav(
    path: Path, rate: int = 8000, channels: int = 1, width: int = 2, n: int = 800
) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(n * width * channels))
    return path


def listed(house: House) -> list[dict[str, Any]]:
    done = house.run("message", "list", "--json")
    assert done.status == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)
    return found


def told(house: House) -> list[str]:
    async def work(session: AsyncSession) -> list[str]:
        return list(await session.scalars(select(Notice.kind)))

    return house.do(work)


def in_force_or_to_come(house: House) -> list[int]:
    async def work(session: AsyncSession) -> list[int]:
        return [row.id for row in await ordered_messages.in_force_or_to_come(session, now())]

    return house.do(work)


def test_a_text_is_spoken_put_and_told_to_the_service(
    house: House, sounds: Path, spoken: list[str]
) -> None:
    done = house.run("message", "order", TEXT, "--by", "佐藤")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("message 1: heard from ")
    assert spoken == [TEXT]
    (row,) = listed(house)
    assert (row["text"], row["state"], row["ordered_by"]) == (TEXT, "in force", "佐藤")
    assert told(house) == ["messages"]
    (file,) = sounds.iterdir()
    assert file.name == "ordered-1.wav"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644, "Asterisk is another user"
    assert TEXT in house.run("message", "list").out


def test_the_synthesiser_speaks_a_text_fit_for_the_telephone(house: House, sounds: Path) -> None:
    assert house.run("message", "order", "受付は午後3時までです。").status == 0
    speech.check_wav(sounds / "ordered-1.wav")
    with wave.open(str(sounds / "ordered-1.wav")) as file:
        assert 1 < file.getnframes() / file.getframerate() < 6


def test_a_recording_is_taken_as_it_is(house: House, sounds: Path, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "oyuki.wav")
    done = house.run("message", "order", str(recording))
    assert done.status == 0, done.err
    assert "nobody checked the recording" in done.err
    (row,) = listed(house)
    assert row["text"] is None
    assert (sounds / "ordered-1.wav").read_bytes() == recording.read_bytes()


def test_of_several_the_newest_is_first_and_what_is_over_is_none(
    house: House, spoken: list[str]
) -> None:
    moment = now() + timedelta(days=1)
    later = (moment + timedelta(days=1)).strftime("%Y-%m-%d %H:%M")
    for arguments in (
        (),
        ("--from", moment.strftime("%Y-%m-%d %H:%M")),
        ("--until", later),
        (),
    ):
        assert house.run("message", "order", TEXT, *arguments).status == 0
    assert [row["state"] for row in listed(house)] == ["in force", "to come", *["in force"] * 2]
    assert in_force_or_to_come(house) == [4, 3, 2, 1]
    assert house.run("message", "cancel", "4", "--by", "鈴木").status == 0
    assert in_force_or_to_come(house) == [3, 2, 1]
    assert listed(house)[3]["cancelled_by"] == "鈴木"
    assert house.run("message", "cancel", "4").status == 6
    assert told(house) == ["messages"] * 5


async def _past(session: AsyncSession) -> None:
    at = now() - timedelta(days=2)
    until = at + timedelta(days=1)
    await ordered_messages.order(session, TEXT, from_at=at, until_at=until, at=at, by="佐藤")


def test_what_is_over_cannot_be_cancelled(house: House) -> None:
    house.do(_past)
    assert listed(house)[0]["state"] == "over"
    assert in_force_or_to_come(house) == []
    assert house.run("message", "cancel", "1").status == 6


REFUSED = [
    # arguments after `order`, exit status, what is told
    (["国民健康保険料のお知らせです。"], 13, "must not contain '保険料'"),
    (["3,000円"], 13, "must not contain '円'"),
    ([" "], 13, "the text is empty"),
    (["none.wav"], 13, "cannot be read"),
    ([TEXT, "--until", "2026-09-01 09:00"], 6, "never be heard"),
    ([TEXT, "--from", "2036-09-01 09:00", "--until", "2036-09-01 09:00"], 6, "never be heard"),
    ([TEXT, "--from", "tomorrow"], 2, "--from"),
]


@pytest.mark.parametrize(("arguments", "status", "says"), REFUSED)
def test_what_cannot_be_ordered_is_refused_and_nothing_is_kept(
    house: House, sounds: Path, spoken: list[str], arguments: list[str], status: int, says: str
) -> None:
    done = house.run("message", "order", *arguments)
    assert done.status == status
    assert says in done.err
    nothing_is_kept(house, sounds)


def nothing_is_kept(house: House, sounds: Path) -> None:
    assert listed(house) == []
    assert told(house) == []
    assert list(sounds.iterdir()) == []


NOT_FIT: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: write_wav(path, rate=44_100), "has 44100 Hz, 1 channels, 16 bit"),
    (lambda path: write_wav(path, channels=2), "has 8000 Hz, 2 channels, 16 bit"),
    (lambda path: write_wav(path, width=1), "has 8000 Hz, 1 channels, 8 bit"),
    (lambda path: write_wav(path, n=0), "nothing is to be heard"),
    (lambda path: path.write_bytes(b""), "not a WAV file"),
    (lambda path: path.write_bytes(b"ID3\3 not a wave file at all"), "not a WAV file"),
    (lambda path: path.mkdir(), "cannot be read"),
]


@pytest.mark.parametrize(("write", "says"), NOT_FIT)
def test_a_recording_that_the_telephone_cannot_play_is_refused(
    house: House, sounds: Path, tmp_path: Path, write: Callable[[Path], object], says: str
) -> None:
    write(tmp_path / "recording.wav")
    done = house.run("message", "order", str(tmp_path / "recording.wav"))
    assert done.status == 13
    assert says in done.err
    nothing_is_kept(house, sounds)


def test_without_a_folder_to_put_it_nothing_is_ordered(
    house: House, sounds: Path, spoken: list[str]
) -> None:
    sounds.rmdir()
    done = house.run("message", "order", TEXT)
    assert done.status == 13
    assert "cannot be written" in done.err
    sounds.mkdir()
    nothing_is_kept(house, sounds)


def test_what_is_not_committed_leaves_no_sound(
    house: House, sounds: Path, spoken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    class LostError(Exception):
        pass

    def lost(*_: object, **__: object) -> None:
        seen.extend(sounds.iterdir())
        raise LostError

    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncSession.commit", lost)
    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncSessionTransaction.commit", lost)
    done = house.run("message", "order", TEXT)
    monkeypatch.undo()
    assert done.status == 1
    assert [path.name for path in seen] == ["ordered-1.wav"], "put before the commit"
    nothing_is_kept(house, sounds)


def test_without_the_synthesiser_the_command_says_what_to_install(
    house: House, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyopenjtalk", None)
    done = house.run("message", "order", TEXT)
    assert done.status == 13
    assert "pyopenjtalk-plus" in done.err
    monkeypatch.setenv("PATH", "")
    done = house.run("message", "order", TEXT)
    assert done.status == 13
    assert "sox" in done.err
    nothing_is_kept(house, sounds)


def test_the_service_knows_the_kind_of_notice() -> None:
    assert notices.NoticeKind.MESSAGES in _ACTS
