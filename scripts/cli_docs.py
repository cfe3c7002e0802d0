"""Writes docs/cli.md from the command itself: `python -m scripts.cli_docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from dialer.cli.app import EXIT_CODES, app

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"

_HEAD = """\
# The command `dialer`

Made from the code by `python -m scripts.cli_docs`; a test compares.

Errors are one line on stderr. Destructive verbs ask unless `--yes` is given. Everything that reads
takes `--json`: one document on stdout, moments as ISO 8601 with Japan's offset.
The settings file is `--settings FILE`, else `$YOBIRIN_SETTINGS`, else `./yobirin.toml`.
"""


def document() -> str:
    """The whole text of docs/cli.md."""
    root = typer.main.get_command(app)
    parts = [_HEAD, *_chapters(root, "dialer"), "## Exit status\n"]
    parts.append("| status | meaning |\n|---|---|")
    parts += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(parts) + "\n"


def _chapters(command: Any, path: str) -> Iterator[str]:
    verbs = getattr(command, "commands", None)
    if verbs is None:
        yield _chapter(command, path)
        return
    for name in sorted(verbs):
        yield from _chapters(verbs[name], f"{path} {name}")


def _chapter(command: Any, path: str) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join([path, *(one.metavar or one.name.upper() for one in arguments)])
    items = [f"- `{one.metavar or one.name.upper()}`: {one.help}" for one in arguments if one.help]
    items += [f"- {_option(one)}" for one in options if one.name != "help"]
    blank = [""] if items else []
    return "\n".join([f"## `{usage}`\n", command.help, *blank, *items]) + "\n"


def _option(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or 'TEXT'}"
    need = " (required)" if option.required else ""
    return f"`{', '.join(option.opts)}{value}`{need}: {option.help}"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
