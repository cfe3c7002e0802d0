"""Verbs without a group of their own kind: the service, its state, its database and its PBX."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.show import print_json
from dialer.cli.work import AsJson, Installation, installation
from dialer.errors import ServiceAwayError

if TYPE_CHECKING:
    from dialer.web.models import Status

WATCH_S = 1.0
ANSWER_S = 5.0

db_app = typer.Typer(help="The database.")
asterisk_app = typer.Typer(help="The configuration of Asterisk.")


def register(app: typer.Typer) -> None:
    """Put these verbs into the command."""
    app.command()(status)
    app.command()(doctor)
    app.command()(serve)
    app.add_typer(db_app, name="db")
    app.add_typer(asterisk_app, name="asterisk")


def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the running service is doing."""
    here = installation(ctx)
    if watch and as_json:
        raise typer.BadParameter("--watch and --json do not go together")
    if watch:
        _watch(here)
    elif as_json:
        print_json(asked_status(here).model_dump())
    else:
        from dialer.cli.show import console
        from dialer.cli.status_view import view

        console().print(view(asked_status(here)))


def asked_status(here: Installation) -> Status:
    """The running service's own answer.

    Raises:
        ServiceAwayError: it does not run, or does not answer.
    """
    import httpx
    from pydantic import ValidationError

    from dialer.web.models import Status

    http = here.settings.http
    host = "127.0.0.1" if http.host == "0.0.0.0" else http.host  # noqa: S104 (compared, not bound)
    url = f"http://{host}:{http.port}/api/status"
    try:
        # trust_env: a proxy set for the web must not be asked for this machine
        answer = httpx.get(url, timeout=ANSWER_S, trust_env=False).raise_for_status()
        return Status.model_validate_json(answer.content)
    except (httpx.HTTPError, ValidationError) as error:
        raise ServiceAwayError(
            f"the service does not answer at {host}:{http.port}; start it with `dialer serve`"
        ) from error


def _watch(here: Installation) -> None:
    from dialer.cli.show import console
    from dialer.cli.status_view import view

    screen = console()
    shown = view(asked_status(here))
    while True:
        screen.clear()  # does nothing where the output is no terminal
        screen.print(shown)
        time.sleep(WATCH_S)
        try:
            shown = view(asked_status(here))
        except ServiceAwayError as error:
            shown = str(error)  # a restart must not end the watching


def serve(ctx: typer.Context) -> None:
    """Run the service until SIGTERM: then no new calls, talks end, exit."""
    from dialer.service import serve as serve_until_stopped

    serve_until_stopped(installation(ctx).settings_path)


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check everything that could be wrong, and say what to do. Status 1 if something is."""
    from dialer.doctor import check
    from dialer.logs import set_up_logs

    set_up_logs()  # panoramisk's own would print over the answer
    here = installation(ctx)
    findings = asyncio.run(check(here.settings, here.settings_path))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for one in findings:
            print(f"{'ok   ' if one.ok else 'WRONG'} {one.name}: {one.detail}")
            if one.what_to_do:
                print(f"      → {one.what_to_do}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@db_app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to this version's tables; a new one is made."""
    from db.upgrade import upgrade as bring_up

    asyncio.run(bring_up(installation(ctx).settings.service.database))
    print("database: up to date")


@asterisk_app.command()
def render(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False)],
) -> None:
    """Write Asterisk's configuration, and make the secrets if there are none yet."""
    from dialer.asterisk_config import render as render_files
    from dialer.settings import ensure_secrets

    here = installation(ctx)
    secrets = ensure_secrets(here.settings, here.settings_path)
    version = render_files(here.settings, secrets, here.settings_path, folder)
    print(f"asterisk configuration: written, dialplan {version}")
