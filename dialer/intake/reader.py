"""From the bytes of a file of the city to rows of text with their lines: nothing dropped or replaced.

Every line is read by itself: no item may contain a line break, so a quotation mark that is not
closed is found in its own line and swallows no other.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from dialer.errors import IntakeError
from dialer.intake.faults import Finding
from rules.layout import IntakeLayout, Item

_CONTROL = re.compile("[\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]")
"""Control characters and others that nobody sees."""
_UNREADABLE = re.compile("[\ufffd\ue000-\uf8ff]")
"""The replacement character, and private-use characters (外字), which only the city's machines know."""

Row = dict[Item, str]
"""Of the file of cases."""
ItemT = TypeVar("ItemT", bound=StrEnum)
"""What the columns of a kind of file tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet(Generic[ItemT]):
    """The file as text."""

    rows: list[tuple[int, dict[ItemT, str]]]
    """Line number and items of every row that could be read."""
    faults: list[Finding]
    """Rows that could not."""


def read_file(path: Path, layout: IntakeLayout) -> bytes:
    """The file's content.

    Raises:
        IntakeError: it cannot be read, or it is larger than the layout allows.
    """
    try:
        if path.stat().st_size > layout.max_file_bytes:
            raise IntakeError(_too_large(layout))
        return path.read_bytes()
    except FileNotFoundError:
        raise IntakeError("ファイルがありません。場所と名前を確かめてください") from None
    except IsADirectoryError:
        raise IntakeError("フォルダーが指定されています。CSVファイルを指定してください") from None
    except PermissionError:
        raise IntakeError("ファイルを読む権限がありません。権限を確かめてください") from None
    except OSError as error:
        raise IntakeError(f"ファイルを読めません（{error.strerror}）") from None


def read_sheet(data: bytes, layout: IntakeLayout, columns: Mapping[ItemT, str]) -> Sheet[ItemT]:
    """Decode and split the file.

    Args:
        columns: the header's name of each item.

    Raises:
        IntakeError: nothing of it can be used: empty, another encoding or other columns.
    """
    if len(data) > layout.max_file_bytes:
        raise IntakeError(_too_large(layout))
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise IntakeError("ファイルが空です。正しいファイルを受け取ってください")
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    encoding, header = _read_header(lines[0], layout, columns)
    reader = _LineReader(encoding, header, layout, columns)
    for number, line in enumerate(lines[1:], start=2):
        if line:
            reader.read(number, line)
    if not reader.rows and not reader.faults:
        raise IntakeError("見出しの行だけで、1件もありません。正しいファイルを受け取ってください")
    return Sheet(rows=reader.rows, faults=reader.faults)


def _too_large(layout: IntakeLayout) -> str:
    return (
        f"ファイルが大きすぎます（上限 {layout.max_file_bytes // 1_048_576} MB）。"
        "分けて受け取るか、正しいファイルか確かめてください"
    )


class _LineReader(Generic[ItemT]):
    def __init__(
        self,
        encoding: str,
        header: list[str],
        layout: IntakeLayout,
        columns: Mapping[ItemT, str],
    ) -> None:
        items = {title: item for item, title in columns.items()}
        self._encoding = encoding
        self._titles = header
        self._items = [items[title] for title in header]
        self._max_chars = layout.max_field_chars
        self.rows: list[tuple[int, dict[ItemT, str]]] = []
        self.faults: list[Finding] = []

    def read(self, number: int, line: bytes) -> None:
        """Take one line: as a row, or as a fault."""
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError as error:
            column = _column_at(line.decode("latin-1"), error.start)
            message = f"文字を読めません（{self._encoding}）。文字を確かめて入力し直してください"
            self._fault(number, column, message)
            return
        too_long = self._too_long(text)
        if too_long is not None:
            message = f"長すぎます（上限 {self._max_chars} 文字）。短くしてください"
            self._fault(number, too_long, message)
        elif unreadable := _CONTROL.search(text):
            column = _column_at(text, unreadable.start())
            self._fault(
                number, column, "改行などの見えない制御文字が入っています。取り除いてください"
            )
        else:
            self._split(number, text)

    def _split(self, number: int, text: str) -> None:
        try:
            values = next(csv.reader((text,), strict=True))
        except csv.Error:
            message = '引用符 " の付け方が正しくありません。閉じているか確かめてください'
            self._fault(number, _misquoted_column(text), message)
            return
        if len(values) != len(self._items):
            message = (
                f"項目が{len(values)}個あります。見出しと同じ{len(self._items)}個にしてください"
            )
            self._fault(number, None, message)
            return
        for column, value in enumerate(values):
            if _UNREADABLE.search(value):
                message = "外字など読めない文字があります。通常の文字に直してください"
                self._fault(number, column, message)
                return
        self.rows.append((number, dict(zip(self._items, values, strict=True))))

    def _too_long(self, text: str) -> int | None:
        """Index of the first item that is too long, if any."""
        if len(text) <= self._max_chars:
            return None
        lengths = (len(piece) for piece in text.split(","))
        return next((n for n, length in enumerate(lengths) if length > self._max_chars), None)

    def _fault(self, number: int, column: int | None, message: str) -> None:
        known = column is not None and column < len(self._titles)
        title = self._titles[column] if column is not None and known else None
        self.faults.append(Finding(line=number, column=title, reference=None, message=message))


def _scan(text: str) -> Iterator[tuple[int, bool]]:
    """For each character of a line: the index of its column, and whether it is one too many there
    (what follows a closing quotation mark)."""
    column, quoted, begins, closed = 0, False, True, False
    for char in text:
        yield column, closed and char not in ',"'
        opens = char == '"' and not quoted and (begins or closed)
        closed = char == '"' and quoted
        quoted = opens or (quoted and not closed)
        begins = char == "," and not quoted
        column += begins


def _column_at(text: str, position: int) -> int:
    """Index of the column in which a position of a line lies."""
    return next(islice(_scan(text), position, None))[0]


def _misquoted_column(text: str) -> int:
    """Index of the column whose quotation marks are wrong, in a line where they are."""
    last = 0
    for column, wrong in _scan(text):
        last = column
        if wrong:
            break
    return last


def _read_header(
    line: bytes, layout: IntakeLayout, columns: Mapping[ItemT, str]
) -> tuple[str, list[str]]:
    """The encoding in which the header's titles are known, and the titles.

    Raises:
        IntakeError: in no encoding, or the columns are not those of the layout.
    """
    candidates = list(_headers(line, layout))
    known = set(columns.values())
    best = max(candidates, key=lambda found: len(known.intersection(found[1])), default=None)
    if best is None or not known.intersection(best[1]):
        names = "、".join(layout.encodings)
        raise IntakeError(
            f"1行目に見出しがありません。文字コード（{names}）とファイルの内容を確かめてください"
        )
    _check_titles(best[1], layout, columns)
    return best


def _headers(line: bytes, layout: IntakeLayout) -> Iterator[tuple[str, list[str]]]:
    for encoding in layout.encodings:
        try:
            yield encoding, next(csv.reader((line.decode(encoding),), strict=True))
        except (UnicodeDecodeError, csv.Error, StopIteration):
            continue


def _check_titles(titles: list[str], layout: IntakeLayout, columns: Mapping[ItemT, str]) -> None:
    for word in layout.forbidden_columns:
        if any(word in unicodedata.normalize("NFKC", title) for title in titles):
            raise IntakeError(
                f"{word}の列があります。受け取ってはならない情報です。ファイルを返し、列を除いたものを受け取ってください"
            )
    known = columns.values()
    missing = [title for title in known if title not in titles]
    if missing:
        raise IntakeError(f"見出しに次の列がありません: {'、'.join(missing)}")
    if len(titles) > len(columns):
        raise IntakeError(
            f"見出しに決められていない列、または同じ名前の列があります（{len(titles)}列、決まりは{len(columns)}列）"
        )
