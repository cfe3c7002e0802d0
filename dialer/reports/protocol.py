"""The acceptance protocol of the calling rules as one page of HTML, to be printed and signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2

from dialer.calendar import holidays_between
from dialer.profiles import load_profile, read_profile
from rules.profile import Profile
from rules.protocol import Chapter, chapter_of
from rules.wording import clock_words, day_words


def shipped_scenarios() -> dict[str, str]:
    """Names and texts of the scenario files that ship, in the order of their clauses."""
    entries = (entry for entry in (files("rules") / "scenarios").iterdir() if entry.is_file())
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in sorted(entries, key=lambda entry: entry.name)
    }


def chapters_of(scenarios: Mapping[str, str]) -> list[Chapter]:
    """Play scenario files, named by name and text.

    Raises:
        ScenarioError: one has no clause in its first line, or is malformed.
    """
    return [chapter_of(text, name, _profile, holidays_between) for name, text in scenarios.items()]


def protocol_html(chapters: Sequence[Chapter], now: datetime) -> str:
    """The page: no resource of the network, fit for A4."""
    names = sorted({story.profile for chapter in chapters for story in chapter.stories})
    written = [read_profile(name) for name in names]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("protocol.html.j2").render(
        chapters=chapters,
        stories=sum(len(chapter.stories) for chapter in chapters),
        steps=sum(chapter.steps for chapter in chapters),
        failed=sum(chapter.failed for chapter in chapters),
        profiles=[(_profile(text.name), text.sha256) for text in written],
        version=version("yobirin"),
        made=f"{now.year}年{day_words(now.date())} {clock_words(now)}",
    )


def _profile(name: str) -> Profile:
    return load_profile(name, date.max)
