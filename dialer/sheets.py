"""The cases on the operators' screens, read once per call and kept while the call is theirs."""

from __future__ import annotations

from typing import Any

from db import screen
from db.screen import Sheet
from db.session import Sessions
from dialer.calls import Line
from dialer.months import Months
from dialer.web.models import Call, Earlier, HouseholdContact, Preview
from rules.calendar import JST
from rules.case import CaseStatus, PhoneKind, Result
from rules.operator_state import Hold
from rules.outcome import is_contact
from rules.profile import Profile


class Sheets:
    """Sheets by attempt."""

    def __init__(self, sessions: Sessions, months: Months) -> None:
        self._sessions = sessions
        self._months = months
        self._sheets: dict[str, Sheet] = {}

    async def load(self, attempt: str) -> None:
        """Read the attempt's sheet, anew if it is there already.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            self._sheets[attempt] = await screen.sheet(session, attempt)

    async def load_ahead(self, hold: Hold) -> None:
        """Read the sheet of a call that is not placed yet.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            sheet = await screen.sheet_of(session, hold.case_id, hold.phone_id)
        self._sheets[hold.attempt] = sheet

    def drop(self, attempt: str) -> None:
        """The call left the operator's screen."""
        self._sheets.pop(attempt, None)

    def show(self, line: Line) -> Call | None:
        """The call as the screen shows it; None: not read yet."""
        sheet = self._sheets.get(line.call.attempt)
        if sheet is None:
            return None
        call = line.call
        return Call(
            attempt_id=call.attempt,
            placed_at=call.placed_at,
            answered_at=call.answered_at,
            talk_ended_at=call.ended_at,
            on_line=call.ended_at is None,
            **self._case(sheet),
        )

    def show_ahead(self, hold: Hold, line: Line | None) -> Preview | None:
        """The call an operator is held for as their screen shows it; None: not read yet.

        Args:
            line: None: it is not placed yet.
        """
        sheet = self._sheets.get(hold.attempt)
        if sheet is None:
            return None
        return Preview(
            attempt_id=hold.attempt,
            placed_at=line.call.placed_at if line is not None else None,
            **self._case(sheet),
        )

    def _case(self, sheet: Sheet) -> dict[str, Any]:
        return _case(sheet, self._months.profile(sheet.case.campaign_id))

    def profile(self, line: Line | None) -> Profile | None:
        """The contract profile a screen with this call on it goes by; without a call that of the campaign
        called now, or of the newest one; None: there is no campaign."""
        if line is not None:
            placed = line.call.placed_at.astimezone(JST).date()
            return self._months.profile(line.campaign_id).on(placed)
        months = self._months.running() or self._months.all()[-1:]
        return months[0].profile if months else None


def _case(sheet: Sheet, profile: Profile) -> dict[str, Any]:
    """What `CaseSheet` tells of a case."""
    case = sheet.case
    return dict(
        case_id=case.id,
        reference=case.reference,
        name=case.name,
        kana=case.kana,
        birth_date=case.birth_date,
        address=case.address,
        category=case.category,
        amount_yen=int(case.amount_yen),
        instalments=case.instalments,
        note=case.note,
        case_status=CaseStatus(case.status),
        phone=sheet.phone.number,
        phone_kind=PhoneKind(sheet.phone.kind),
        ask_for_mobile=all(phone.kind == PhoneKind.FIXED for phone in sheet.phones),
        history=tuple(
            Earlier(
                at=past.placed_at, outcome=past.recorded.result.outcome, phone_kind=past.phone_kind
            )
            for past in reversed(sheet.past)
        ),
        household=tuple(
            HouseholdContact(at=other.at, outcome=other.outcome)
            for other in sheet.household
            if is_contact(
                profile.on(other.at.astimezone(JST).date()).outcomes[other.outcome],
                Result(outcome=other.outcome, same_household=other.same_household),
            )
        ),
    )
