"""Rows: what is a fault, what is a warning, and what is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.check import CaseIn
from dialer.intake.faults import Severity
from rules.case import PhoneKind
from tests.dialer.intake.files import GOOD, LAYOUT, checked, faults, row


def test_a_good_row_becomes_a_case() -> None:
    found = checked(
        row(
            1,
            生年月日="昭和35年1月31日",
            最終納付日="2025/11/03",
            滞納合計額="0012300",
            電話番号2="０６０－９９９９－０００１",
            電話番号2種別="携帯",
            停止フラグ="1",
        )
    )
    assert (found.rows, found.refused, found.findings) == (1, 0, [])
    assert found.cases == [
        CaseIn(
            line=2,
            reference="202609000001",
            person_number="10000001",
            household_number="2000001",
            name="髙木　架空",
            kana="タカギ カクウ",
            birth_date="1960-01-31",
            postal_code="940-0001",
            address="長岡市架空町1丁目1番1号",
            category="初期滞納",
            amount_yen="12300",
            instalments="2026/1期/12300",
            last_paid="2025-11-03",
            note="夜間希望",
            phones=(("0258000001", PhoneKind.FIXED), ("06099990001", PhoneKind.MOBILE)),
            stop=True,
        )
    ]


FAULTS = [
    # (column, value, what the message says)
    ("年月", "2026-13", "年月として"),
    ("年月", "2026/09", "年月として"),
    ("年月", "２０２６-09", "年月として"),
    ("年月", "2026-10", "2026-09の案件ではありません"),
    ("年月", "", "空です"),
    ("整理番号", "", "空です"),
    ("整理番号", "２０２６", "半角の英数字"),
    ("整理番号", "-1", "半角の英数字"),
    ("整理番号", "9" * 33, "32文字"),
    ("宛名番号", "", "空です"),
    ("世帯番号", "12 34", "半角の英数字"),
    ("氏名", "", "空です"),
    ("生年月日", "1986/02/30", "暦にない"),
    ("生年月日", "昭和64年2月1日", "元号"),
    ("生年月日", "2026/09/21", "先の日付"),
    ("郵便番号", "94-00011", "郵便番号として"),
    ("郵便番号", "９４０－０００１", "郵便番号として"),
    ("区分", "その他", "初期滞納、分納不履行"),
    ("区分", "", "空です"),
    ("滞納合計額", "", "空です"),
    ("滞納合計額", "-500", "負の金額"),
    ("滞納合計額", "▲500", "負の金額"),
    ("滞納合計額", '"12,300"', "半角の数字"),
    ("滞納合計額", "１２３００", "半角の数字"),
    ("滞納合計額", "12300円", "半角の数字"),
    ("滞納合計額", "12.5", "半角の数字"),
    ("滞納合計額", "9" * 13, "桁が多すぎ"),
    ("最終納付日", "去年", "日付として"),
    ("最終納付日", "2026/12/01", "先の日付"),
    ("電話番号1", "", "電話番号が1つもありません"),
    ("電話番号1", "258-00-0001", "先頭が0"),
    ("電話番号1", "186-0258-00-0001", "186"),
    ("電話番号1種別", "自宅", "固定、携帯、IP"),
    ("電話番号2", "0120-000-000", "フリーダイヤル"),
    ("停止フラグ", "はい", "停止する場合は1"),
    # a spreadsheet would run these when a report brings them back
    ("氏名", "=cmd|'/C calc'!A0", "式と読まれる"),
    ("氏名", "＝1+1", "式と読まれる"),
    ("氏名カナ", "+1", "式と読まれる"),
    ("住所", "@SUM(A1)", "式と読まれる"),
    ("備考", "-1", "式と読まれる"),
    ("期別明細", "=1", "式と読まれる"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "what"), FAULTS)
def test_a_fault_is_told_by_case_column_and_what_to_do_and_never_by_value(
    column: str, value: str, what: str
) -> None:
    found = checked(row(1), row(2, **{column: value}))
    (fault,) = faults(found)
    assert (fault.line, fault.column) == (3, column)
    assert what in fault.message
    assert fault.reference == (None if column == "整理番号" else "202609000002")
    if len(value) > 3 and column != "年月":
        assert value not in fault.text()
    assert [case.line for case in found.cases] == [2]
    assert found.refused == 1


def test_all_faults_of_a_row_are_told_at_once() -> None:
    found = checked(row(1, 区分="?", 滞納合計額="?", 電話番号1="?"))
    assert [fault.column for fault in faults(found)] == ["区分", "滞納合計額", "電話番号1"]
    assert found.refused == 1


def test_full_width_amounts_pass_where_the_layout_says_so() -> None:
    layout = LAYOUT.model_copy(update={"full_width_amounts": True})
    found = checked(row(1, 滞納合計額='"１２,３００"'), row(2, 滞納合計額="－５"), layout=layout)
    assert [case.amount_yen for case in found.cases] == ["12300"]
    assert [fault.line for fault in faults(found)] == [3]


def test_only_the_second_column_may_hold_the_number() -> None:
    found = checked(row(1, 電話番号1="", 電話番号2="0258-00-0009"))
    assert found.findings == []
    assert found.cases[0].phones == (("0258000009", PhoneKind.FIXED),)


def test_the_number_itself_tells_its_kind() -> None:
    found = checked(row(1, 電話番号1="060-9999-0001"), row(2, 電話番号1種別=""))
    (warning,) = found.findings
    assert (warning.severity, warning.column) == (Severity.WARNING, "電話番号1種別")
    assert [case.phones[0][1] for case in found.cases] == [PhoneKind.MOBILE, PhoneKind.FIXED]


def test_the_same_number_twice_in_a_row_is_one_phone() -> None:
    found = checked(row(1, 電話番号2="0258000001"))
    (warning,) = found.findings
    assert (warning.severity, warning.column) == (Severity.WARNING, "電話番号2")
    assert len(found.cases[0].phones) == 1


def test_an_identical_row_again_is_a_warning_and_one_case() -> None:
    found = checked(row(1), row(1))
    (warning,) = found.findings
    assert (warning.severity, warning.line) == (Severity.WARNING, 3)
    assert (len(found.cases), found.refused) == (1, 0)


def test_a_case_with_different_contents_is_refused_in_every_row() -> None:
    found = checked(row(1), row(2), row(1, 滞納合計額="500"), row(1))
    assert [(fault.line, fault.column) for fault in faults(found)] == [
        (2, "整理番号"),
        (4, "整理番号"),
        (5, "整理番号"),
    ]
    assert [case.reference for case in found.cases] == ["202609000002"]


@pytest.mark.parametrize(
    ("household", "severity"),
    [
        pytest.param("2000001", Severity.NOTE, id="of one household: in order"),
        pytest.param("2000009", Severity.WARNING, id="of two households: look at it"),
    ],
)
def test_a_number_shared_by_two_cases_is_told_and_taken(household: str, severity: Severity) -> None:
    found = checked(row(1), row(2, 世帯番号=household, 電話番号2="0258-00-0001"))
    assert [(one.line, one.column, one.severity) for one in found.findings] == [
        (2, "電話番号1", severity),
        (3, "電話番号2", severity),
    ]
    assert len(found.cases) == 2


# some characters of CP932 come back as others: the file cannot tell them apart either
TEXT = st.text(alphabet=st.characters(codec="cp932", exclude_characters="¢£¬‖−〜"), max_size=40)


@given(st.sampled_from(list(GOOD)), TEXT)
def test_whatever_stands_in_one_column_the_row_is_a_case_or_has_a_fault(
    column: str, value: str
) -> None:
    found = checked(row(1, **{column: value}))
    assert bool(found.cases) != bool(faults(found))
    for case in found.cases:
        for text in (case.name, case.address, case.note, case.reference, case.instalments):
            assert not text.startswith(("=", "+", "-", "@"))
            assert not any(ord(char) < 0x20 for char in text)


def test_a_case_shows_nothing_personal_when_printed() -> None:
    assert GOOD["氏名"] not in repr(checked(row(1)).cases)
