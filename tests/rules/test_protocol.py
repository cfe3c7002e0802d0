"""The acceptance protocol: every kind of step is told in Japanese, and a failure is told as one."""

from __future__ import annotations

from datetime import date

import pytest

from rules.eligibility import Reason
from rules.profile import OVERRIDABLE, Profile, as_timeline
from rules.protocol import Chapter, Line, chapter_of
from rules.reasons import CLAUSES, SENTENCES
from rules.scenario import ScenarioError
from tests.rules.stories import PROFILE

HEAD = """\
# §8(4)カ 三回の架電
scenario: ある場面
profile: nagaoka-r8
period: {from: 2026-11-20, to: 2026-11-30}
cases:
  - {id: 案件1, household: 世帯1, phones: {自宅: {number: "0258-00-1111", kind: fixed}}}
"""


def profile_named(name: str) -> Profile:
    assert name == PROFILE.name
    return PROFILE


def holidays(_first: date, _last: date) -> frozenset[date]:
    return frozenset({date(2026, 11, 23)})


def chapter(text: str) -> Chapter:
    return chapter_of(text, "08-4-6.yaml", profile_named, holidays)


def lines(*steps: str, head: str = HEAD) -> tuple[Line, ...]:
    written = "".join(f'  - {{at: "2026-11-{step}}}\n' for step in steps)
    return chapter(f"{head}steps:\n{written}").stories[0].lines


def last(*steps: str, head: str = HEAD) -> Line:
    return lines(*steps, head=head)[-1]


PAID = '20 10:00", paid: 案件1'
ASKED_CITY = '20 10:00", attempt: 自宅, outcome: refused'
APPROVAL = HEAD + "set: {approve_refusals: true}\n"


@pytest.mark.parametrize(
    ("steps", "what", "expected", "found"),
    [
        # questions
        (
            ['20 10:00", ask: 自宅, expect: allowed'],
            "「自宅」に架電できるか",
            "架電できる",
            "架電できる",
        ),
        (
            [PAID, '20 10:00", ask: 自宅, expect: refused'],
            "「自宅」に架電できるか",
            "架電できない",
            "架電できない：納付を確認しています（§2）",
        ),
        (
            [PAID, '20 21:00", ask: 自宅, expect: refused, reason: paid'],
            "「自宅」に架電できるか",
            "架電できない：納付を確認しています（§2）",
            "架電できない：架電できる時間帯の外です（§6(2)イ）／納付を確認しています（§2）",
        ),
        # attempts
        (
            ['20 10:00", attempt: 自宅, outcome: no_answer'],
            "「自宅」に架電。結果は「応答なし」（呼び出し36秒）",
            "記録する",
            "記録する",
        ),
        (
            ['20 10:00", attempt: 自宅, outcome: hung_up'],
            "「自宅」に架電。結果は「確認前の切断」",
            "記録する",
            "記録する",
        ),
        (
            ['20 10:00", attempt: 自宅, outcome: no_answer, ring: 34.5, error: true'],
            "「自宅」に架電。結果は「応答なし」（呼び出し34.5秒）",
            "記録を拒む",
            "記録を拒む：呼び出しが35秒に満たないため「応答なし」にできません",
        ),
        (
            ['20 10:00", attempt: 自宅, outcome: sold, error: true'],
            "「自宅」に架電。結果は「sold」",
            "記録を拒む",
            "記録を拒む：この架電結果は登録されていません",
        ),
        (
            ['20 21:00", attempt: 自宅, outcome: busy, forced: true'],
            "規則によらず「自宅」に架電。結果は「話し中」",
            "記録する",
            "記録する",
        ),
        (
            [
                '20 10:00", attempt: 自宅, outcome: household_done, same_household: true,'
                " offered: true, script_finished: true"
            ],
            "「自宅」に架電。結果は「同一世帯・完了」（スクリプト終了、同一世帯を確認、用件を聞くとの申し出）",
            "記録する",
            "記録する",
        ),
        (
            ['20 10:00", attempt: 自宅, outcome: not_resident, scope: case'],
            "「自宅」に架電。結果は「居住なし」（対象は案件全体）",
            "記録する",
            "記録する",
        ),
        # paper and callbacks
        (
            ['20 18:00", paper: 自宅, outcome: no_answer, called_at: "2026-11-20 10:00:05"'],
            "紙の記録を入力：「自宅」に11月20日(金) 10:00:05架電。結果は「応答なし」",
            "記録する",
            "記録する",
        ),
        (
            ['20 18:00", paper: 自宅, outcome: busy, called_at: "2026-11-20 10:00", ring: 5'],
            "紙の記録を入力：「自宅」に11月20日(金) 10:00架電。結果は「話し中」（呼び出し5秒）",
            "記録する",
            "記録する",
        ),
        (
            ['20 18:00", paper: 自宅, outcome: busy, called_at: "2026-11-20 18:01", error: true'],
            "紙の記録を入力：「自宅」に11月20日(金) 18:01架電。結果は「話し中」",
            "記録を拒む",
            "記録を拒む：入力した時刻より後の架電です",
        ),
        (
            ['20 10:00", callback: 案件1, outcome: third_party, appointment: "2026-11-21 11:00"'],
            "案件1の折り返し電話。結果は「本人以外・本人不在」（指定時間は11月21日(土) 11:00）",
            "記録する",
            "記録する",
        ),
        # the city's word
        (['20 10:00", stop: 案件1'], "市が案件1の架電停止を指示", "記録する", "記録する"),
        (['20 10:00", unstop: 案件1'], "市が案件1の架電停止を解除", "記録する", "記録する"),
        ([PAID], "市が案件1の納付を連絡", "記録する", "記録する"),
        # how phones and cases stand
        (
            ['20 10:00", phone: 自宅, expect: {status: open, counted: 0, weekend_met: false}'],
            "「自宅」はどうなっているか",
            "状態は継続、数えた架電は0回、平日以外の一回はまだ",
            "状態は継続、数えた架電は0回、平日以外の一回はまだ",
        ),
        (
            [
                '21 10:00", attempt: 自宅, outcome: fax',
                '21 10:00", phone: 自宅, expect: {status: closed, weekend_met: true, next_from: null}',
            ],
            "「自宅」はどうなっているか",
            "状態は終了、平日以外の一回は済み、架電できる時はもうない",
            "状態は終了、平日以外の一回は済み、架電できる時はもうない",
        ),
        (
            ['20 21:00", phone: 自宅, expect: {next_from: "2026-11-21 09:00"}'],
            "「自宅」はどうなっているか",
            "次に架電できるのは11月21日(土) 09:00から",
            "次に架電できるのは11月21日(土) 09:00から",
        ),
        (
            ['20 10:00", case: 案件1, expect: {status: open, clause: null, appointment: null}'],
            "案件1はどうなっているか",
            "状態は架電中、完了の項目はない、指定時間はない",
            "状態は架電中、完了の項目はない、指定時間はない",
        ),
        (
            [
                '20 10:00", attempt: 自宅, outcome: third_party, appointment: "2026-11-21 11:00"',
                '20 10:00", case: 案件1, expect: {appointment: "2026-11-21 11:00"}',
            ],
            "案件1はどうなっているか",
            "指定時間は11月21日(土) 11:00",
            "指定時間は11月21日(土) 11:00",
        ),
        (
            [
                '20 10:00", attempt: 自宅, outcome: refused',
                '20 10:00", case: 案件1, expect: {status: complete, clause: ウ}',
            ],
            "案件1はどうなっているか",
            "状態は完了、完了の項目はウ",
            "状態は完了、完了の項目はウ",
        ),
    ],
)
def test_a_step_is_told_as_what_happened_what_is_expected_and_what_came(
    steps: list[str], what: str, expected: str, found: str
) -> None:
    line = last(*steps)
    assert (line.what, line.expected, line.found, line.holds) == (what, expected, found, True)


@pytest.mark.parametrize(
    ("decision", "word"), [("resume", "再開"), ("stop", "停止"), ("close", "終了")]
)
def test_a_decision_of_the_city_is_told(decision: str, word: str) -> None:
    line = last(ASKED_CITY, f'20 11:00", decide: 案件1, decision: {decision}', head=APPROVAL)
    assert line.what == f"市が引き継がれた案件1を「{word}」と判断"
    assert (line.expected, line.found, line.holds) == ("記録する", "記録する", True)


@pytest.mark.parametrize(
    ("step", "expected", "found"),
    [
        (
            '20 21:00", ask: 自宅, expect: allowed',
            "架電できる",
            "架電できない：架電できる時間帯の外です（§6(2)イ）",
        ),
        (
            '20 10:00", ask: 自宅, expect: refused, reason: paid',
            "架電できない：納付を確認しています（§2）",
            "架電できる",
        ),
        ('20 10:00", attempt: 自宅, outcome: busy, error: true', "記録を拒む", "記録する"),
        (
            '20 21:00", attempt: 自宅, outcome: busy',
            "記録する",
            "記録を拒む：架電できる時間帯の外です（§6(2)イ）",
        ),
        ('20 10:00", decide: 案件1, decision: stop', "記録する", "記録を拒む：状態は架電中"),
        ('20 10:00", phone: 自宅, expect: {counted: 1}', "数えた架電は1回", "数えた架電は0回"),
        ('20 10:00", case: 案件1, expect: {status: paid}', "状態は納付確認", "状態は架電中"),
    ],
)
def test_a_step_that_does_not_hold_is_told_as_such_and_counted(
    step: str, expected: str, found: str
) -> None:
    told = chapter(
        f'{HEAD}steps:\n  - {{at: "2026-11-20 09:00", ask: 自宅, expect: allowed}}\n'
        f'  - {{at: "2026-11-{step}}}\n'
    )
    assert (told.steps, told.failed) == (2, 1)
    line = told.stories[0].lines[1]
    assert (line.expected, line.found, line.holds) == (expected, found, False)


def test_a_chapter_carries_the_clause_and_title_of_the_files_first_line() -> None:
    told = chapter(f"{HEAD}steps: []\n")
    assert (told.clause, told.title, told.steps, told.failed) == ("§8(4)カ", "三回の架電", 0, 0)
    assert [(story.title, story.profile) for story in told.stories] == [("ある場面", "nagaoka-r8")]
    assert told.stories[0].place == "08-4-6.yaml:2"
    assert told.stories[0].premises[0] == ("架電期間：2026年11月20日(金)から2026年11月30日(月)まで")


def test_a_step_is_told_with_its_moment() -> None:
    assert last('20 10:00", stop: 案件1').at == "11月20日(金) 10:00"
    assert last('21 18:05:07", stop: 案件1').at == "11月21日(土) 18:05:07"


@pytest.mark.parametrize("first", ["", "# §8(4)カ\n", "#§8(4)カ 三回の架電\n"])
def test_a_file_without_a_clause_in_its_first_line_is_refused(first: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"^08-4-6.yaml:1: a comment is needed here: # CLAUSE TITLE$"
    ):
        chapter(HEAD.replace("# §8(4)カ 三回の架電\n", first) + "steps: []\n")


def test_the_premises_tell_period_cases_shared_numbers_and_what_was_agreed() -> None:
    text = """\
# 運用既定 同じ世帯
scenario: ある場面
profile: nagaoka-r8
set:
  busy_tries: 2
  approve_refusals: true
  escalate_early_appointments: false
  attempt_scope: case
  weekend_scope: phone
period: {from: 2026-12-28, to: 2027-01-05, excluded: [2027-01-05, 2027-01-04]}
cases:
  - id: 夫
    household: 世帯1
    phones: {自宅: {number: "0258-00-1111", kind: fixed}, 携帯: {number: "060-9999-1", kind: mobile}}
  - {id: 妻, phones: {共用: {number: "０２５８００１１１１", kind: fixed}}}
  - {id: 子, household: 世帯1, phones: {IP: {number: "050-1", kind: ip}}}
steps: []
"""
    assert list(chapter(text).stories[0].premises) == [
        "架電期間：2026年12月28日(月)から2027年1月5日(火)まで"
        "（市が除く日：1月4日(月)、1月5日(火)）",
        "案件：夫（世帯1）　電話番号：自宅（固定）、携帯（携帯）",
        "案件：妻　電話番号：共用（固定）",
        "案件：子（世帯1）　電話番号：IP（IP）",
        "夫と妻は同じ電話番号を持つ",
        "取決め　一回と数える話し中・圏外の度数：2",
        "取決め　対話拒否の完了に承認を要する：はい",
        "取決め　架電できない指定時間を市に引き継ぐ：いいえ",
        "取決め　架電回数の単位：案件ごと",
        "取決め　平日以外の一回の単位：番号ごと",
    ]


def test_a_message_is_told_whole_whatever_stands_in_the_name_of_an_outcome() -> None:
    named = {"label": "応答なし: 留守"}
    outcomes = {"no_answer": PROFILE.outcomes["no_answer"].model_copy(update=named)}
    changed = PROFILE.model_copy(update={"outcomes": PROFILE.outcomes | outcomes})
    profile = as_timeline([date.min], [changed])
    step = '  - {at: "2026-11-20 10:00", attempt: 自宅, outcome: no_answer, ring: 34, error: true}'
    told = chapter_of(f"{HEAD}steps:\n{step}\n", "08-4-6.yaml", lambda _name: profile, holidays)
    assert told.stories[0].lines[0].found == (
        "記録を拒む：呼び出しが35秒に満たないため「応答なし: 留守」にできません"
    )


@pytest.mark.parametrize("name", sorted(OVERRIDABLE))
def test_every_value_that_may_be_set_has_a_name_for_the_city(name: str) -> None:
    value = {"attempt_scope": "phone", "weekend_scope": "phone"}.get(name, getattr(PROFILE, name))
    text = f"{HEAD}set: {{{name}: {str(value).lower()}}}\nsteps: []\n"
    premise = chapter(text).stories[0].premises[-1]
    assert premise.startswith("取決め　") and name not in premise


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_and_a_clause(reason: Reason) -> None:
    assert SENTENCES[reason] and not SENTENCES[reason].endswith("。")
    assert CLAUSES[reason].startswith("§") or CLAUSES[reason] == "運用既定"
