"""Whether a result may be saved: the checks an operator's entry has to pass (§8(4), §8(5))."""

from __future__ import annotations

from collections.abc import Iterable

from rules.calendar import JST, Calendar
from rules.case import AttemptMade, CallbackTaken, Case, Fact, Result, check_aware
from rules.history import open_phones, state_of
from rules.outcome import Effect, OutcomeRule, Recorder, effect_of
from rules.profile import Profile

_MARK_MESSAGES = {
    "script_finished": "「スクリプト終了」の確認がありません。",
    "same_household": "「同一世帯」の確認がありません。",
    "offered": "「用件を聞くとの申し出」の確認がありません。",
}


class ResultRefusedError(Exception):
    """The result may not be saved: `field` of the entry is wrong, `message` (Japanese) says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check_result(
    fact: AttemptMade | CallbackTaken,
    case: Case,
    facts: Iterable[Fact],
    profile: Profile,
    calendar: Calendar,
    by: Recorder | None = None,
) -> None:
    """Check a result against the profile and what was known of the case before it.

    Args:
        fact: what is to be recorded, judged by the profile in force on its day; an attempt whose
            `ring_s` is not known (paper) is not asked how long it rang.
        facts: all of the case: those of this moment (the result that a correction replaces) and after it
            do not count.
        by: who records it; None: not asked (paper sheets, scenarios).

    Raises:
        ResultRefusedError: it may not be saved so.
    """
    profile = profile.on(fact.at.astimezone(JST).date())
    rule = profile.outcomes.get(fact.result.outcome)
    if rule is None:
        raise ResultRefusedError("outcome", "この架電結果は登録されていません。")
    if by is not None and by not in rule.by:
        raise ResultRefusedError("outcome", f"「{rule.label}」はここでは選べません。")
    _check_marks(rule, fact.result)
    _check_appointment(rule, fact)
    if isinstance(fact, AttemptMade):
        _check_attempt(rule, fact, case, profile)
    else:
        _check_callback(rule, fact, case, facts, profile, calendar)


def _check_marks(rule: OutcomeRule, result: Result) -> None:
    for mark in rule.needs:
        if not getattr(result, mark):
            raise ResultRefusedError(mark, _MARK_MESSAGES[mark])
    if result.scope is not None and result.scope not in rule.scopes:
        raise ResultRefusedError("scope", f"「{rule.label}」では対象の範囲を選べません。")


def _check_appointment(rule: OutcomeRule, fact: AttemptMade | CallbackTaken) -> None:
    moment = fact.result.appointment
    if moment is None:
        return
    if not rule.appointment:
        raise ResultRefusedError("appointment", f"「{rule.label}」では指定時間を登録できません。")
    if check_aware(moment) <= fact.at:
        raise ResultRefusedError("appointment", "指定時間は通話より後の日時にしてください。")


def _check_attempt(rule: OutcomeRule, fact: AttemptMade, case: Case, profile: Profile) -> None:
    if fact.phone not in {phone.id for phone in case.phones}:
        raise ResultRefusedError("phone", "この案件の電話番号ではありません。")
    if rule.rang_out and fact.ring_s is not None and fact.ring_s < profile.ring_min_s:
        raise ResultRefusedError(
            "ring", f"呼び出しが{profile.ring_min_s}秒に満たないため「{rule.label}」にできません。"
        )


def _check_callback(
    rule: OutcomeRule,
    fact: CallbackTaken,
    case: Case,
    facts: Iterable[Fact],
    profile: Profile,
    calendar: Calendar,
) -> None:
    if not rule.callback:
        raise ResultRefusedError("outcome", f"「{rule.label}」は折り返し電話の結果にできません。")
    if effect_of(rule, fact.result.scope) is Effect.CLOSE_PHONE:
        before = state_of(case, (old for old in facts if old.at < fact.at), profile, calendar)
        if len(open_phones(before)) > 1:
            # a callback names no phone: nobody could tell which one to close
            raise ResultRefusedError("scope", "どの電話番号のことか分からないため登録できません。")
