"""Files that are broken as a whole or in places: a clear error each, the database unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from db.session import Sessions
from dialer.errors import IntakeError
from tests.dialer.intake.files import TITLES, file_of, row, text_of
from tests.dialer.intake.test_import import contents, month, take

__all__ = ["month"]

Make = Callable[[Path], None]


def of(data: bytes) -> Make:
    return lambda path: path.write_bytes(data) and None


REFUSED = [
    # (what is wrong with it, how it is made, what the error says)
    ("another encoding", of(text_of(row(1)).encode("utf-16")), "文字コード"),
    ("a missing column", of(file_of(row(1), titles=TITLES[1:])), "年月"),
    (
        "a column of individual numbers",
        of(file_of(row(1), titles=[*TITLES, "個人番号"])),
        "個人番号",
    ),
    ("an empty file", of(b""), "空"),
    ("a directory", lambda path: path.mkdir(), "フォルダー"),
    ("no file", lambda path: None, "ファイルがありません"),
]
FAULTY = [
    # (what is wrong with line 3, how it is made, column, what the fault says)
    (
        "a byte that is no character",
        file_of(row(1), row(2, 氏名="x")).replace(b",x,", b",\x81\xad,"),
        "氏名",
        "文字",
    ),
    ("a case twice", file_of(row(1), row(1, 滞納合計額="1")), "整理番号", "違う内容"),
    ("broken quotes", file_of(row(1), row(2, 備考='"閉じない')), "備考", "引用符"),
    ("10 MB in one field", file_of(row(1), row(2, 備考="x" * 10_000_000)), "備考", "長すぎ"),
    ("a formula", file_of(row(1), row(2, 氏名="=cmd|'/C calc'!A0")), "氏名", "式と読まれる"),
    ("NUL bytes", file_of(row(1), row(2, 氏名="a\0b")), "氏名", "制御文字"),
    ("CR LF within a field", file_of(row(1), row(2, 備考='"a\r\nb"')), "備考", "引用符"),
    ("a line cut short", file_of(row(1)) + b"2026-09,2026", None, "2個"),
]


@pytest.mark.parametrize(
    ("make", "what"), [pytest.param(make, what, id=name) for name, make, what in REFUSED]
)
async def test_a_file_broken_as_a_whole_is_refused_and_changes_nothing(
    month: Sessions, tmp_path: Path, make: Make, what: str
) -> None:
    path = tmp_path / "city.csv"
    make(path)
    before = await contents(month)
    for accept_good in (False, True):
        with pytest.raises(IntakeError, match=what):
            await take(month, path, accept_good=accept_good)
    assert await contents(month) == before


@pytest.mark.parametrize(
    ("data", "column", "what"),
    [pytest.param(data, column, what, id=name) for name, data, column, what in FAULTY],
)
async def test_a_file_broken_in_one_place_is_told_by_line_and_column_and_changes_nothing(
    month: Sessions, tmp_path: Path, data: bytes, column: str | None, what: str
) -> None:
    path = tmp_path / "city.csv"
    path.write_bytes(data)
    before = await contents(month)
    report = await take(month, path)
    assert not report.taken
    assert (3, column) in {(f.line, f.column) for f in report.findings if what in f.message}
    assert await contents(month) == before


async def test_a_file_without_permission_is_refused_and_changes_nothing(
    month: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")  # root would be let in

    path = tmp_path / "city.csv"
    path.write_bytes(file_of(row(1)))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    before = await contents(month)
    with pytest.raises(IntakeError, match="権限"):
        await take(month, path)
    assert await contents(month) == before
