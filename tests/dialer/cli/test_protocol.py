"""`dialer rules protocol`: a page to print, made without any installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.cli.app import run
from dialer.reports import protocol

STORY = """\
# §6(2) 架電できる日と時間
scenario: 朝は九時から
profile: nagaoka-r8
period: {from: 2026-09-24, to: 2026-09-30}
cases:
  - {id: 案件1, phones: {自宅: {number: "0258-00-1234", kind: fixed}}}
steps:
  - {at: "2026-09-24 09:00", ask: 自宅, expect: allowed}
  - {at: "2026-09-24 20:30", ask: 自宅, expect: EXPECT}
"""


@pytest.fixture(params=["refused", "allowed"])
def expected(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the one shipped story expects of a call in the night: what the rules say, or not."""
    text = STORY.replace("EXPECT", request.param)
    monkeypatch.setattr(protocol, "shipped_scenarios", lambda: {"06-2.yaml": text})
    return str(request.param)


def test_the_page_is_written_and_the_status_tells_whether_all_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expected: str
) -> None:
    out = tmp_path / "protocols" / "page.html"
    failed = int(expected == "allowed")
    assert run(["rules", "protocol", "--out", str(out)]) == failed
    said = capsys.readouterr()
    assert said.out == f"{out}: 1 scenarios, 2 steps: {2 - failed} hold, {failed} do not\n"
    assert "朝は九時から" in out.read_text(encoding="utf-8")


def test_without_a_file_the_page_goes_to_stdout(
    capsys: pytest.CaptureFixture[str], expected: str
) -> None:
    assert run(["rules", "protocol"]) == int(expected == "allowed")
    page = capsys.readouterr().out
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")


def test_a_page_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(["rules", "protocol", "--out", str(tmp_path / "file" / "page.html")]) == 12
    assert "cannot be written" in capsys.readouterr().err


def test_the_scenarios_that_ship_hold_with_the_holidays_of_the_law(tmp_path: Path) -> None:
    assert run(["rules", "protocol", "--out", str(tmp_path / "page.html")]) == 0
