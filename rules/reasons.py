"""What a reason for refusing a call is called in Japanese, and the clause it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rules.eligibility import Reason

DEFAULT_CLAUSE = "運用既定"
"""Stands in place of a clause where the contract says nothing and the profile's default decides."""

CLAUSES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.OUTSIDE_PERIOD: "§6(2)ア",
        Reason.EXCLUDED_DAY: "§6(2)ア",
        Reason.OUTSIDE_HOURS: "§6(2)イ",
        Reason.CASE_COMPLETE: "§8(4)",
        Reason.CASE_ESCALATED: "§8(3)キ",
        Reason.PHONE_CLOSED: "§8(4)エ・オ",
        Reason.STOPPED: "§8(3)ク・§8(4)ク",
        Reason.PAID: "§2",
        Reason.ATTEMPTS_USED: "§8(4)カ",
        Reason.SAME_DAY: "§8(4)カ・§8(5)",
        Reason.SAME_BAND: "§8(4)カ・§8(5)",
        Reason.KEPT_FOR_NON_WEEKDAY: "§8(4)カ尚書",
        Reason.APPOINTMENT_PENDING: "§8(5)エ",
        Reason.COOLING_DOWN: DEFAULT_CLAUSE,
        Reason.CASE_GAP: DEFAULT_CLAUSE,
        Reason.HOUSEHOLD_BUSY: DEFAULT_CLAUSE,
    }
)
"""The clause of the contract a reason rests on."""

SENTENCES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.OUTSIDE_PERIOD: "架電期間の外です",
        Reason.EXCLUDED_DAY: "架電しない日（市の指示又は年末年始）です",
        Reason.OUTSIDE_HOURS: "架電できる時間帯の外です",
        Reason.CASE_COMPLETE: "案件は完了しています",
        Reason.CASE_ESCALATED: "案件は市の判断を待っています（エスカレーション中）",
        Reason.PHONE_CLOSED: "この番号は終了しています",
        Reason.STOPPED: "市の指示により架電を停止しています",
        Reason.PAID: "納付を確認しています",
        Reason.ATTEMPTS_USED: "この番号の架電回数を使い切っています",
        Reason.SAME_DAY: "同じ日に数える架電を済ませています",
        Reason.SAME_BAND: "前回の架電と同じ時間帯です",
        Reason.KEPT_FOR_NON_WEEKDAY: "残る架電は土日祝日のために取り置いています",
        Reason.APPOINTMENT_PENDING: "約束の時刻の前です",
        Reason.COOLING_DOWN: "前回の架電からの待ち時間が過ぎていません",
        Reason.CASE_GAP: "案件の他の番号への架電から間隔が空いていません",
        Reason.HOUSEHOLD_BUSY: "同じ世帯又は番号への架電中、若しくは架電から間隔が空いていません",
    }
)
"""A reason as a Japanese sentence, without its full stop."""
