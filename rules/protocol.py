"""The acceptance protocol: scenarios and what came of them, told in Japanese sentences for the city."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from types import MappingProxyType
from typing import assert_never

from rules.case import (
    Decision,
    EscalationDecided,
    PaymentKnown,
    Result,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.eligibility import Reason
from rules.marked import ScenarioError
from rules.profile import Profile
from rules.reasons import CLAUSES, SENTENCES
from rules.scenario import Answer, Holidays, Profiles, answers, parse_scenarios, ring_of
from rules.scenario_steps import (
    AnyStep,
    Ask,
    CaseExpectation,
    CityWord,
    MadeAttempt,
    PaperSheet,
    PhoneExpectation,
    Scenario,
    TakenCallback,
)
from rules.wording import CASE_STATUS, PHONE_KINDS, PHONE_STATUS, day_words, moment_words

_HEADING = re.compile(r"# (?P<clause>\S+) (?P<title>.+)")

_VALUES: Mapping[str, str] = MappingProxyType(
    {
        "attempts": "架電回数（回）",
        "attempt_scope": "架電回数の単位",
        "weekend_scope": "平日以外の一回の単位",
        "ring_min_s": "呼び出しの下限（秒）",
        "case_gap_min": "案件の他の番号との間隔（分）",
        "household_gap_min": "同じ世帯の案件との間隔（分）",
        "busy_retry_min": "話し中・圏外の後の間隔（分）",
        "busy_tries": "一回と数える話し中・圏外の度数",
        "failed_retry_min": "発信の失敗の後の間隔（分）",
        "abandon_gap_min": "つなげなかった後の間隔（分）",
        "appointment_window_min": "指定時間を守ったとする幅（分）",
        "escalate_early_appointments": "架電できない指定時間を市に引き継ぐ",
        "approve_refusals": "対話拒否の完了に承認を要する",
        "closing_margin_s": "閉所前に発信をやめる余裕（秒）",
    }
)
"""What a scenario may set (`rules.profile.OVERRIDABLE`), named for the city."""

_DECISIONS = {Decision.RESUME: "再開", Decision.STOP: "停止", Decision.CLOSE: "終了"}
_SCOPES = {Scope.PHONE: "この番号だけ", Scope.CASE: "案件全体"}
_RECORDED, _REJECTED = "記録する", "記録を拒む"
_PHONE_STATUS = {str(status): words for status, words in PHONE_STATUS.items()}
_CASE_STATUS = {str(status): words for status, words in CASE_STATUS.items()}
_REASONS = {str(reason): f"{SENTENCES[reason]}（{CLAUSES[reason]}）" for reason in Reason}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One step: what happened or was asked, what has to come of it, and what came."""

    at: str
    what: str
    expected: str
    found: str
    holds: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One scenario, played."""

    title: str
    place: str
    """File and line."""
    profile: str
    premises: tuple[str, ...]
    """The period, the cases, and values that differ from the profile's."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """The scenarios of one clause."""

    clause: str
    title: str
    stories: tuple[Story, ...]

    @property
    def steps(self) -> int:
        """How many steps its stories have."""
        return sum(len(story.lines) for story in self.stories)

    @property
    def failed(self) -> int:
        """How many of them do not hold."""
        return sum(not line.holds for story in self.stories for line in story.lines)


def chapter_of(text: str, file: str, profile_named: Profiles, holidays: Holidays) -> Chapter:
    """Play a file whose first line is a comment with its clause: `# §8(4)カ 三回の架電`.

    Raises:
        ScenarioError: it has no such line, is malformed, or names a profile or value that cannot be.
    """
    heading = _HEADING.fullmatch(text.partition("\n")[0])
    if heading is None:
        raise ScenarioError(file, 1, "a comment is needed here: # CLAUSE TITLE")
    stories = (
        _story(scenario, profile_named, holidays) for scenario in parse_scenarios(text, file)
    )
    return Chapter(clause=heading["clause"], title=heading["title"], stories=tuple(stories))


def _story(scenario: Scenario, profile_named: Profiles, holidays: Holidays) -> Story:
    played = answers(scenario, profile_named, holidays)
    profile = profile_named(scenario.profile).on(scenario.period_from)
    return Story(
        title=scenario.title,
        place=f"{scenario.file}:{scenario.line}",
        profile=scenario.profile,
        premises=tuple(_premises(scenario)),
        lines=tuple(
            Line(
                at=moment_words(step.at),
                what=_what(step, profile),
                expected=_expected(step),
                found=_found(step, answer),
                holds=answer.holds,
            )
            for step, answer in played
        ),
    )


def _premises(scenario: Scenario) -> Iterator[str]:
    first, last = scenario.period_from, scenario.period_to
    excluded = "、".join(day_words(day) for day in sorted(scenario.excluded))
    without = f"（市が除く日：{excluded}）" if excluded else ""
    yield f"架電期間：{first.year}年{day_words(first)}から{last.year}年{day_words(last)}まで{without}"
    for member in scenario.members:
        phones = "、".join(
            f"{phone.id}（{PHONE_KINDS[phone.kind]}）" for phone in member.case.phones
        )
        household = f"（{member.household}）" if member.household else ""
        yield f"案件：{member.case.id}{household}　電話番号：{phones}"
    for one, other in combinations(scenario.members, 2):
        if one.numbers & other.numbers:
            yield f"{one.case.id}と{other.case.id}は同じ電話番号を持つ"
    for name, value in scenario.overrides.items():
        yield f"取決め　{_VALUES[name]}：{_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    return {"phone": "番号ごと", "case": "案件ごと"}.get(str(value), str(value))


def _what(step: AnyStep, profile: Profile) -> str:
    match step:
        case Ask():
            return f"「{step.phone}」に架電できるか"
        case MadeAttempt():
            forced = "規則によらず" if step.forced else ""
            ring = ring_of(step, profile)
            return f"{forced}「{step.phone}」に架電。結果は{_result(step.result, profile, ring)}"
        case PaperSheet():
            result = _result(step.result, profile, step.ring_s)
            return f"紙の記録を入力：「{step.phone}」に{moment_words(step.called_at)}架電。結果は{result}"
        case TakenCallback():
            return f"{step.case}の折り返し電話。結果は{_result(step.result, profile, None)}"
        case CityWord():
            return _city_word(step)
        case PhoneExpectation():
            return f"「{step.subject}」はどうなっているか"
        case CaseExpectation():
            return f"{step.subject}はどうなっているか"
        case _:
            assert_never(step)


def _city_word(step: CityWord) -> str:
    match step.fact:
        case StopOrdered():
            return f"市が{step.case}の架電停止を指示"
        case StopLifted():
            return f"市が{step.case}の架電停止を解除"
        case PaymentKnown():
            return f"市が{step.case}の納付を連絡"
        case EscalationDecided():
            return f"市が引き継がれた{step.case}を「{_DECISIONS[step.fact.decision]}」と判断"
        case _:
            assert_never(step.fact)


def _result(result: Result, profile: Profile, ring_s: float | None) -> str:
    rule = profile.outcomes.get(result.outcome)
    details = [
        *([f"呼び出し{ring_s:g}秒"] if ring_s is not None else []),
        *(["スクリプト終了"] if result.script_finished else []),
        *(["同一世帯を確認"] if result.same_household else []),
        *(["用件を聞くとの申し出"] if result.offered else []),
        *([f"対象は{_SCOPES[result.scope]}"] if result.scope else []),
        *([f"指定時間は{moment_words(result.appointment)}"] if result.appointment else []),
    ]
    told = f"（{'、'.join(details)}）" if details else ""
    return f"「{rule.label if rule else result.outcome}」{told}"


def _expected(step: AnyStep) -> str:
    match step:
        case Ask():
            return _verdict(step.allowed, () if step.reason is None else (step.reason,))
        case PhoneExpectation():
            return _standing(step.expected, _PHONE_STATUS)
        case CaseExpectation():
            return _standing(step.expected, _CASE_STATUS)
        case CityWord():
            return _RECORDED
        case MadeAttempt() | PaperSheet() | TakenCallback():
            return _REJECTED if step.error else _RECORDED
        case _:
            assert_never(step)


def _found(step: AnyStep, answer: Answer) -> str:
    match step:
        case Ask():
            return _verdict(not answer.reasons, answer.reasons)
        case PhoneExpectation():
            return _standing(answer.found, _PHONE_STATUS)
        case CaseExpectation():
            return _standing(answer.found, _CASE_STATUS)
        case CityWord():
            return (
                _RECORDED
                if answer.holds
                else f"{_REJECTED}：{_standing(answer.found, _CASE_STATUS)}"
            )
        case MadeAttempt() | PaperSheet() | TakenCallback():
            return f"{_REJECTED}：{_told(answer.reasons)}" if answer.reasons else _RECORDED
        case _:
            assert_never(step)


def _verdict(allowed: bool, reasons: tuple[str, ...]) -> str:
    if allowed:
        return "架電できる"
    return f"架電できない：{_told(reasons)}" if reasons else "架電できない"


def _told(reasons: tuple[str, ...]) -> str:
    """Reasons of the rules with their clauses; of a result that is refused the message alone."""
    return "／".join(
        _REASONS.get(reason) or reason.partition(": ")[2].removesuffix("。") for reason in reasons
    )


def _standing(values: Mapping[str, object], status: Mapping[str, str]) -> str:
    return "、".join(_stands(name, value, status) for name, value in values.items())


def _stands(name: str, value: object, status: Mapping[str, str]) -> str:
    match name, value:
        case "status", _:
            return f"状態は{status[str(value)]}"
        case "counted", _:
            return f"数えた架電は{value}回"
        case "weekend_met", _:
            return f"平日以外の一回は{'済み' if value else 'まだ'}"
        case "next_from", datetime():
            return f"次に架電できるのは{moment_words(value)}から"
        case "next_from", _:
            return "架電できる時はもうない"
        case "clause", _:
            return f"完了の項目は{value}" if value else "完了の項目はない"
        case _, datetime():
            return f"指定時間は{moment_words(value)}"
        case _:
            return "指定時間はない"
