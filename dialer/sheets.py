"""The cases on the operators' screens, read once per call and kept while the call is theirs."""

from __future__ import annotations

from typing import Any, NamedTuple

from db import results, screen
from db.screen import Sheet
from db.session import Sessions
from dialer.calls import Line
from dialer.months import Months
from dialer.web.case_models import Call, Earlier, HouseholdContact, Preview
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
        self._sheets: dict[str, _Called] = {}

    async def load(self, attempt: str) -> None:
        """Read the attempt's sheet, anew if it is there already.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            case_id, phone_id = await results.place_of(session, attempt)
            sheet = await screen.sheet_of(session, case_id)
        self._sheets[attempt] = _Called(sheet, phone_id)

    async def load_ahead(self, hold: Hold) -> None:
        """Read the sheet of a call that is not placed yet.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            sheet = await screen.sheet_of(session, hold.case_id)
        self._sheets[hold.attempt] = _Called(sheet, hold.phone_id)

    def drop(self, attempt: str) -> None:
        """The call left the operator's screen."""
        self._sheets.pop(attempt, None)

    def show(self, line: Line) -> Call | None:
        """The call as the screen shows it; None: not read yet."""
        called = self._sheets.get(line.call.attempt)
        if called is None:
            return None
        call = line.call
        return Call(
            attempt_id=call.attempt,
            placed_at=call.placed_at,
            answered_at=call.answered_at,
            talk_ended_at=call.ended_at,
            on_line=call.ended_at is None,
            **self._case(called),
        )

    def show_ahead(self, hold: Hold, line: Line | None) -> Preview | None:
        """The call an operator is held for as their screen shows it; None: not read yet.

        Args:
            line: None: it is not placed yet.
        """
        called = self._sheets.get(hold.attempt)
        if called is None:
            return None
        return Preview(
            attempt_id=hold.attempt,
            placed_at=line.call.placed_at if line is not None else None,
            **self._case(called),
        )

    def _case(self, called: _Called) -> dict[str, Any]:
        """What `CalledCase` tells, but for the attempt."""
        phone = next(one for one in called.sheet.phones if one.id == called.phone_id)
        profile = self._months.profile(called.sheet.case.campaign_id)
        return case_on_screen(called.sheet, profile) | {
            "phone": phone.number,
            "phone_kind": PhoneKind(phone.kind),
        }

    def profile(self, line: Line | None) -> Profile | None:
        """The contract profile a screen with this call on it goes by; without a call that of the campaign
        called now, or of the newest one; None: there is no campaign."""
        if line is not None:
            placed = line.call.placed_at.astimezone(JST).date()
            return self._months.profile(line.campaign_id).on(placed)
        months = self._months.running() or self._months.all()[-1:]
        return months[0].profile if months else None


class _Called(NamedTuple):
    """A case and the phone it is called on."""

    sheet: Sheet
    phone_id: int


def case_on_screen(sheet: Sheet, profile: Profile) -> dict[str, Any]:
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
        ask_for_mobile=all(phone.kind == PhoneKind.FIXED for phone in sheet.phones),
        history=tuple(
            Earlier(at=call.at, outcome=call.outcome, phone_kind=call.phone_kind)
            for call in reversed(sheet.earlier)
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
