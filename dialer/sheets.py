"""The cases on the operators' screens, read once per call and kept while the call is theirs."""

from __future__ import annotations

from db import screen
from db.screen import Sheet
from db.session import Sessions
from dialer.calls import Line
from dialer.months import Months
from dialer.web.models import Call, Earlier, HouseholdContact
from rules.calendar import JST
from rules.case import CaseStatus, PhoneKind, Result
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

    def drop(self, attempt: str) -> None:
        """The call left the operator's screen."""
        self._sheets.pop(attempt, None)

    def show(self, line: Line) -> Call | None:
        """The call as the screen shows it; None: not read yet."""
        sheet = self._sheets.get(line.call.attempt)
        if sheet is None:
            return None
        return _call(sheet, line, self._months.profile(line.campaign_id))

    def profile(self, line: Line | None) -> Profile | None:
        """The contract profile a screen with this call on it goes by; without a call that of the campaign
        called now, or of the newest one; None: there is no campaign."""
        if line is not None:
            placed = line.call.placed_at.astimezone(JST).date()
            return self._months.profile(line.campaign_id).on(placed)
        months = self._months.running() or self._months.all()[-1:]
        return months[0].profile if months else None


def _call(sheet: Sheet, line: Line, profile: Profile) -> Call:
    case, call = sheet.case, line.call
    return Call(
        attempt_id=call.attempt,
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
        placed_at=call.placed_at,
        answered_at=call.answered_at,
        talk_ended_at=call.ended_at,
        on_line=call.ended_at is None,
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
