"""The acceptance protocol's page: every scenario that ships is on it, and nothing comes from outside."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser

from dialer.profiles import read_profile
from dialer.reports.protocol import chapters_of, protocol_html, shipped_scenarios
from rules.calendar import JST
from rules.scenario import parse_scenarios

NOW = datetime(2026, 9, 18, 13, 5, tzinfo=JST)
SHIPPED = shipped_scenarios()
CHAPTERS = chapters_of(SHIPPED)
CLAUSES = "アイウエオカキク"


class _Text(HTMLParser):
    """The tags of a page, and its text without mark-up."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


PAGE = _Text(protocol_html(CHAPTERS, NOW))


def test_every_shipped_scenario_is_on_the_page_with_every_step() -> None:
    scenarios = [each for name, text in SHIPPED.items() for each in parse_scenarios(text, name)]
    headings = re.findall(r"\d+-\d+　(.+)", PAGE.text)
    assert headings == [scenario.title for scenario in scenarios]
    steps = sum(len(scenario.steps) for scenario in scenarios)
    rows = [line for chapter in CHAPTERS for story in chapter.stories for line in story.lines]
    assert len(rows) == steps
    assert [row.holds for row in rows] == [True] * steps
    assert f"{steps}（適 {steps}、否 0）" in PAGE.text


def test_the_chapters_follow_the_order_of_the_contract() -> None:
    order = [chapter.clause for chapter in CHAPTERS]
    assert order[0] == "§2"
    ends = [CLAUSES.index(clause[5]) for clause in order if clause.startswith("§8(4)")]
    assert ends == sorted(ends)
    assert set(ends) == set(range(len(CLAUSES) - 1))  # ク stands beside §8(3)ク
    assert "§8(3)ク・§8(4)ク" in order


def test_the_page_names_profile_program_and_day_and_has_a_place_to_sign() -> None:
    assert read_profile("nagaoka-r8").sha256 in PAGE.text
    assert "nagaoka-r8（長岡市 令和8年度 納付コールセンター）" in PAGE.text
    assert re.search(r"yobirin \d+\.\d+", PAGE.text)
    assert "2026年9月18日(金) 13:05" in PAGE.text
    signatures = PAGE.text[PAGE.text.index("確認欄") :]
    assert signatures.index("市") < signatures.index("受託者")


def test_the_page_takes_nothing_from_the_network() -> None:
    outside = {"src", "href", "action", "data"}
    assert [tag for tag, attributes in PAGE.tags if outside & attributes.keys()] == []
    assert {tag for tag, _ in PAGE.tags} & {"script", "link", "iframe", "img"} == set()
    assert "url(" not in PAGE.text and "@import" not in PAGE.text


def test_a_scenario_that_does_not_hold_makes_the_whole_unfit_and_titles_are_no_mark_up() -> None:
    name, text = "06-2-hours.yaml", SHIPPED["06-2-hours.yaml"]
    broken = text.replace("expect: allowed", "expect: refused", 1)
    broken = broken.replace("scenario: ", "scenario: <b>強い</b>", 1)
    page = _Text(protocol_html(chapters_of({name: broken}), NOW))
    assert "判定不適合" in page.text.replace("\n", "")
    assert "否 1）" in page.text
    assert [attributes for tag, attributes in page.tags if attributes == {"class": "fails"}] == [
        {"class": "fails"}
    ]
    assert "<b>強い</b>" in page.text
