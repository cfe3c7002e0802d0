"""The command `dialer`: its verbs put together, and how an error becomes one line and a status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from dialer.cli import (
    appointment,
    callback,
    caller_id,
    campaign,
    case,
    cases,
    emergency,
    escalation,
    message,
    operator,
    pacing,
    payment,
    plan,
    profile,
    report,
    review,
    roster,
    rules,
    service,
    stop_order,
    why,
)
from dialer.cli.work import Installation
from dialer.errors import YobirinError

EXIT_CODES = {
    0: "done",
    1: "not done: not confirmed, or a check found something",
    2: "the command line is wrong",
    3: "the settings file cannot be used",
    4: "a file cannot be taken in",
    5: "the named campaign, case or operator does not exist",
    6: "the request does not fit the present state",
    7: "the database is away, not migrated, or already served by another dialer",
    8: "Asterisk cannot be reached, or refused us",
    9: "the contract profile cannot be used",
    10: "a scenario file is malformed",
    11: "the service is not running, or does not answer",
    12: "a report cannot be written",
    13: "a message cannot be spoken, or a recording cannot be used",
    130: "interrupted from the keyboard",
}
"""What the exit status says; 3 and above are the `exit_code` of an error."""

_EPILOG = "Exit status: " + "; ".join(f"{code} {says}" for code, says in EXIT_CODES.items()) + "."

app = typer.Typer(
    name="dialer",
    help="Calls the cases of a month by the rules of the city's contract.",
    epilog=_EPILOG,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(campaign.app, name="campaign")
app.add_typer(case.app, name="case")
app.add_typer(cases.app, name="cases")
app.add_typer(stop_order.app, name="stop-order")
app.add_typer(payment.app, name="payment")
app.add_typer(escalation.app, name="escalation")
app.add_typer(appointment.app, name="appointment")
app.add_typer(review.app, name="review")
app.add_typer(callback.app, name="callback")
app.add_typer(emergency.app, name="emergency")
app.add_typer(operator.app, name="operator")
app.add_typer(plan.app, name="plan")
app.add_typer(pacing.app, name="pacing")
app.add_typer(rules.app, name="rules")
app.add_typer(profile.app, name="profile")
app.add_typer(report.app, name="report")
app.add_typer(roster.app, name="roster")
app.add_typer(caller_id.app, name="caller-id")
app.add_typer(message.app, name="message")
service.register(app)
app.command()(why.why)


@app.callback()
def settings(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Option(
            "--settings", envvar="YOBIRIN_SETTINGS", help="The installation's settings file."
        ),
    ] = Path("yobirin.toml"),
) -> None:
    """Calls the cases of a month by the rules of the city's contract."""
    ctx.obj = Installation(path)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; what went wrong is on stderr, in one line.

    Returns:
        The exit status, a key of `EXIT_CODES`.
    """
    try:
        # Without "standalone" mode Typer returns a verb's exit code and raises its own errors.
        return app(list(arguments), prog_name="dialer", standalone_mode=False) or 0
    except typer.Abort:
        return _failed("not done: not confirmed", 1)
    except TyperException as error:
        return _failed(error.format_message() + _where_to_look(error), error.exit_code)
    except Exception as error:
        return _failed(*_told(error))


def main() -> None:
    """Entry point of the script `dialer`."""
    sys.exit(run(sys.argv[1:]))


def _told(error: Exception) -> tuple[str, int]:
    from rules.profile import ProfileError

    if isinstance(error, YobirinError | ProfileError):
        return str(error), error.exit_code
    # The text of an error nobody foresaw may hold what a person said.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else ""
    return f"internal error: {type(error).__name__}{where}; please report it", 1


def _where_to_look(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f" See `{context.command_path} --help`." if context else ""


def _failed(message: str, status: int) -> int:
    print("dialer: " + " ".join(message.split()), file=sys.stderr)
    return status
