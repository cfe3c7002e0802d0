"""From bytes to rows: every byte is read or complained of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import IntakeError
from dialer.intake.reader import Sheet, read_file, read_sheet
from rules.layout import Item
from tests.dialer.intake.files import GOOD, LAYOUT, TITLES, file_of, row, text_of


def read(data: bytes) -> Sheet[Item]:
    return read_sheet(data, LAYOUT, LAYOUT.columns)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_file_is_read_in_each_encoding_and_with_each_line_end(
    encoding: str, line_end: str
) -> None:
    data = text_of(row(1), row(2)).replace("\r\n", line_end).encode(encoding)
    sheet = read(data)
    assert sheet.faults == []
    assert [line for line, _row in sheet.rows] == [2, 3]
    assert sheet.rows[0][1][Item.NAME] == GOOD["氏名"]


def test_columns_may_come_in_any_order() -> None:
    ((_line, found),) = read(file_of(row(1), titles=TITLES[::-1])).rows
    assert found[Item.PHONE_1] == "0258-00-0001"


def test_a_quoted_item_may_hold_commas_and_doubled_quotes() -> None:
    ((_line, found),) = read(file_of(row(1, 備考='"夜間, ""急ぎ"""'))).rows
    assert found[Item.NOTE] == '夜間, "急ぎ"'


def test_the_last_line_needs_no_end_and_empty_lines_are_nothing() -> None:
    sheet = read(file_of(row(1), row(2)).removesuffix(b"\r\n"))
    assert len(sheet.rows) == 2
    assert read(file_of(row(1)) + b"\r\n\r\n") == read(file_of(row(1)))


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        pytest.param({"備考": "a\x00b"}, "備考", "制御文字", id="NUL"),
        pytest.param({"氏名": "髙木\r架空"}, "氏名", "制御文字", id="a lone CR"),
        pytest.param({"住所": "a\tb"}, "住所", "制御文字", id="a tab"),
        pytest.param({"住所": '"a,b\x0bc"'}, "住所", "制御文字", id="in a quoted item"),
        pytest.param({"備考": '"閉じない'}, "備考", "引用符", id="a quote not closed"),
        pytest.param({"備考": '"a"b'}, "備考", "引用符", id="text after a quote"),
        pytest.param({"氏名": '"a""b"c', "備考": '"x"'}, "氏名", "引用符", id="the same, doubled"),
        pytest.param(
            {"住所": '1"2', "備考": "\x7f"}, "備考", "制御文字", id="after a quote inside"
        ),
        pytest.param({"氏名": "あ" * 501}, "氏名", "長すぎ", id="too long"),
        pytest.param({"住所": "a,b"}, None, "20個", id="one item too many"),
        pytest.param({"氏名": "\ue000"}, "氏名", "外字", id="a character of the city's own"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_line_and_column(
    changes: dict[str, str], column: str | None, what: str
) -> None:
    sheet = read(file_of(row(1), row(2, **changes), row(3)))
    (fault,) = sheet.faults
    assert (fault.line, fault.column) == (3, column)
    assert what in fault.message
    assert [line for line, _row in sheet.rows] == [2, 4]


def test_an_item_with_a_line_break_harms_no_other_line() -> None:
    sheet = read(file_of(row(1), row(2, 備考='"上\r\n下"'), row(3)))
    assert [fault.line for fault in sheet.faults] == [3, 4]
    assert [line for line, _row in sheet.rows] == [2, 5]


def test_a_byte_that_is_no_character_is_told_by_line_and_column() -> None:
    good = file_of(row(1), row(2), row(3))
    damaged = good.replace(b"202609000002", b"\xff202609000002")
    sheet = read(damaged)
    (fault,) = sheet.faults
    assert (fault.line, fault.column) == (3, "整理番号")
    assert "文字" in fault.message


def test_a_utf8_file_with_a_damaged_character_is_not_taken_for_another_encoding() -> None:
    damaged = text_of(row(1), row(2)).encode().replace("夜間".encode(), b"\xe5\xa4", 1)
    (fault,) = read(damaged).faults
    assert (fault.line, fault.column) == (2, "備考")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"", "空", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n\r\n", "空", id="only a mark and empty lines"),
        pytest.param(file_of(), "1件もありません", id="only the header"),
        pytest.param(text_of(row(1)).encode("utf-16"), "文字コード", id="UTF-16"),
        pytest.param(text_of(row(1, 氏名="架空")).encode("euc_jp"), "文字コード", id="EUC-JP"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), "文字コード", id="a picture"),
        pytest.param(text_of(row(1)).split("\r\n", 1)[1].encode("cp932"), "見出し", id="no header"),
        pytest.param(
            file_of(row(1), titles=[t for t in TITLES if t not in ("住所", "備考")]),
            "次の列がありません: 住所、備考",
            id="missing columns",
        ),
        pytest.param(file_of(row(1), titles=[*TITLES, "メモ"]), "決められていない列", id="extra"),
        pytest.param(file_of(row(1), titles=[*TITLES, "備考"]), "同じ名前", id="doubled column"),
        pytest.param(file_of(row(1), titles=[*TITLES, "個人番号"]), "個人番号", id="My Number"),
        pytest.param(
            file_of(row(1), titles=["マイナンバー（個人）", *TITLES]), "マイナンバー", id="the same"
        ),
        pytest.param(file_of(row(1)) + bytes(70_000_000), "大きすぎ", id="too large"),
    ],
)
def test_a_file_of_which_nothing_can_be_used_is_refused_as_a_whole(data: bytes, what: str) -> None:
    with pytest.raises(IntakeError, match=what):
        read(data)


def test_a_path_that_is_no_readable_file_says_why(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LAYOUT.max_file_bytes + 1)
    for path, what in (
        (tmp_path / "none.csv", "ありません"),
        (tmp_path, "フォルダー"),
        (large, "大きすぎ"),
        (tmp_path / ("x" * 300), "読めません"),
    ):
        with pytest.raises(IntakeError, match=what):
            read_file(path, LAYOUT)


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "city.csv"
    path.write_bytes(file_of(row(1)))
    if os.geteuid() == 0:  # root may read everything: the refusal is put in its place

        def refuse(_path: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        path.chmod(0)
    with pytest.raises(IntakeError, match="権限"):
        read_file(path, LAYOUT)


@given(st.binary(max_size=300), st.booleans())
def test_whatever_the_bytes_every_line_is_a_row_or_a_fault_and_control_characters_never_pass(
    tail: bytes, quoted: bool
) -> None:
    data = file_of(row(1)) + (b'"' if quoted else b"") + tail
    sheet = read(data)
    lines = [line for line, _row in sheet.rows] + [fault.line for fault in sheet.faults]
    given_lines = [n for n, line in enumerate(data.split(b"\n"), 1) if line.strip(b"\r")][1:]
    assert sorted(lines) == given_lines
    for _line, found in sheet.rows:
        assert not any(ord(char) < 0x20 for value in found.values() for char in value)
