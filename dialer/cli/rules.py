"""`dialer rules …`: the rules, played on stories (no PBX, no database, no settings)."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json
from dialer.cli.work import AsJson, now

if TYPE_CHECKING:
    from rules.scenario import FileReport, StepResult

app = typer.Typer(help="The calling rules.")


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """One file: played, or why it could not be."""

    file: str
    report: FileReport | None = None
    fault: str | None = None

    @property
    def holds(self) -> bool:
        return self.report is not None and not self.report.failures


@app.callback()
def group() -> None:
    """The calling rules."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenarios, YAML.")],
    as_json: AsJson = False,
) -> None:
    """Play scenarios against the rules: a line for each step that does not hold, and a summary."""
    checked = [_check(path) for path in files]
    if as_json:
        print_json(_as_json(checked))
    else:
        _print(checked)
    raise typer.Exit(_status(checked))


@app.command()
def protocol(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", dir_okay=False, help="HTML. Default: stdout."),
    ] = None,
) -> None:
    """Play the scenarios that ship, and write what came of them as a page to print and sign."""
    from dialer.reports.protocol import chapters_of, protocol_html, shipped_scenarios
    from dialer.reports.spreadsheet import write_whole

    chapters = chapters_of(shipped_scenarios())
    page = protocol_html(chapters, now())
    failed = sum(chapter.failed for chapter in chapters)
    if out is None:
        print(page)
    else:
        write_whole(out, page.encode())
        stories = sum(len(chapter.stories) for chapter in chapters)
        steps = sum(chapter.steps for chapter in chapters)
        print(f"{out}: {stories} scenarios, {steps} steps: {steps - failed} hold, {failed} do not")
    raise typer.Exit(1 if failed else 0)


def _check(path: Path) -> _Checked:
    from dialer.calendar import holidays_between
    from dialer.profiles import load_profile
    from rules.scenario import ScenarioError, check_text

    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        report = check_text(text, name, lambda of: load_profile(of, date.max), holidays_between)
    except OSError as error:
        return _Checked(file=name, fault=f"{name}: cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        return _Checked(file=name, fault=f"{name}: not UTF-8 at byte {error.start}")
    except ScenarioError as error:
        return _Checked(file=name, fault=str(error))
    return _Checked(file=name, report=report)


def _status(checked: list[_Checked]) -> int:
    from rules.scenario import ScenarioError

    if any(one.fault is not None for one in checked):
        return ScenarioError.exit_code
    return 0 if all(one.holds for one in checked) else 1


def _print(checked: list[_Checked]) -> None:
    for one in checked:
        for failure in one.report.failures if one.report else ():
            print(_line(failure))
        if one.fault is not None:
            print(f"dialer: {one.fault}", file=sys.stderr)
    sums = _sums(checked)
    print(
        f"{sums['files']} files, {sums['scenarios']} scenarios, {sums['steps']} steps: "
        f"{sums['held']} hold, {sums['failed']} do not, {sums['faulty_files']} files are faulty"
    )


def _line(failure: StepResult) -> str:
    reasons = f"; the rules say: {', '.join(failure.reasons)}" if failure.reasons else ""
    return (
        f"{failure.file}:{failure.line}: {failure.scenario}: {failure.step}: "
        f"expected {failure.expected}, got {failure.got}{reasons}"
    )


def _sums(checked: list[_Checked]) -> dict[str, int]:
    reports = [one.report for one in checked if one.report is not None]
    steps = sum(len(report.results) for report in reports)
    failed = sum(len(report.failures) for report in reports)
    return {
        "files": len(checked),
        "scenarios": sum(report.scenarios for report in reports),
        "steps": steps,
        "held": steps - failed,
        "failed": failed,
        "faulty_files": len(checked) - len(reports),
    }


def _as_json(checked: list[_Checked]) -> dict[str, Any]:
    return {
        "holds": all(one.holds for one in checked),
        **_sums(checked),
        "failures": [
            asdict(failure) for one in checked if one.report for failure in one.report.failures
        ],
        "faults": [
            {"file": one.file, "fault": one.fault} for one in checked if one.fault is not None
        ],
    }
