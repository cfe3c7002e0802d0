"""What the documents say can be done: their links lead somewhere, their commands are the command's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dialer.cli.app import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"^(?:sudo .*bin/)?(?:\.venv/bin/)?(dialer(?: .*)?)$")


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                yield document, target


def commands() -> Iterator[str]:
    for document in DOCUMENTS:
        for block in re.findall(r"(?s)```sh\n(.*?)```", document.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if found := COMMAND.match(line):
                    yield found[1]


@pytest.mark.parametrize(("document", "target"), sorted(set(links())))
def test_a_link_leads_to_a_file(document: Path, target: str) -> None:
    assert (document.parent / target).exists()


def python_files_named() -> set[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return set(re.findall(r"(?:rules|db|dialer|scripts)/[\w/]+\.(?:py|sh|yaml)", text))


@pytest.mark.parametrize("name", sorted(python_files_named()))
def test_a_file_that_the_readme_names_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_in_a_document_is_one(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    if words[:1] == ["--settings"]:
        words = words[2:]
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), "a group, not a verb"
    command.make_context("dialer", words)  # raises what a user would be told
