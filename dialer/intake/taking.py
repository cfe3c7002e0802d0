"""Writes a checked file into its campaign, within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices, stops
from db.cases import FactKind
from db.keys import Keys
from db.notices import NoticeKind
from db.tables import Attempt, Campaign, CaseFact, CaseRow, Intake, PhoneRow, table_of
from dialer.intake.check import CaseIn, Checked
from dialer.intake.faults import Finding, Severity
from dialer.refresh import refresh
from rules.case import CaseStatus, PhoneStatus

_COPIED = (
    "reference",
    "person_number",
    "household_number",
    "name",
    "kana",
    "birth_date",
    "postal_code",
    "address",
    "category",
    "amount_yen",
    "instalments",
    "last_paid",
    "note",
)
"""Columns of `case` that hold what the file says, under the same names as in `CaseIn`."""
_WRITTEN = (*_COPIED, "person_key", "household_key")


@dataclass
class Work:
    """Ids of cases by what the file did to them."""

    added: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    unchanged: int = 0
    stopped: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """A case as an earlier file left it."""

    id: int
    values: tuple[Any, ...]
    """Of `_COPIED`."""
    phones: dict[str, _KnownPhone]
    """By digits."""


@dataclass(frozen=True, slots=True)
class _KnownPhone:
    id: int
    position: int
    removable: bool
    """Named by the city and never called: nothing is lost with it."""


class Taking:
    """One file, one transaction."""

    def __init__(
        self, session: AsyncSession, campaign: Campaign, handed_by: str, keys: Keys, now: datetime
    ) -> None:
        self._session = session
        self._campaign = campaign
        self._handed_by = handed_by
        self._keys = keys
        self._now = now
        self._work = Work()

    async def take(self, checked: Checked, sha256: str) -> Work:
        """Write what is new, stop who is stopped, and fold the touched cases."""
        known = await self._known()
        new = [case for case in checked.cases if case.reference not in known]
        old = [(known[case.reference], case) for case in checked.cases if case.reference in known]
        changed = [(was, case) for was, case in old if not _is_same(was, case)]
        intake_id = await self._write_intake(checked, sha256, new, changed)
        if intake_id is not None:
            await self._add(new, intake_id)
            await self._change(changed)
        await self._stop_anew(checked.cases)
        return await self._finish({was.id for was, _case in old})

    async def _finish(self, old: set[int]) -> Work:
        work = self._work
        work.changed |= work.stopped & old
        work.unchanged = len(old - work.changed)
        touched = sorted(work.added | work.changed | work.stopped)
        if touched:
            await refresh(self._session, touched, self._now)
            await notices.add(self._session, NoticeKind.CASES, at=self._now, by=self._handed_by)
        return work

    async def _known(self) -> dict[str, _Known]:
        """The campaign's cases, by reference."""
        called = select(Attempt.phone_id).where(Attempt.campaign_id == self._campaign.id)
        called_ids = set(await self._session.scalars(called.distinct()))
        columns = [getattr(CaseRow, name) for name in _COPIED]
        query = select(CaseRow.id, *columns).where(CaseRow.campaign_id == self._campaign.id)
        known = {
            row.reference: _Known(row.id, tuple(row)[1:], {})
            for row in await self._session.execute(query)
        }
        by_id = {case.id: case for case in known.values()}
        phones = select(
            PhoneRow.id, PhoneRow.case_id, PhoneRow.number, PhoneRow.position, PhoneRow.learned
        ).where(PhoneRow.campaign_id == self._campaign.id)
        for row in await self._session.execute(phones):
            removable = not row.learned and row.id not in called_ids
            phone = _KnownPhone(row.id, row.position, removable)
            by_id[row.case_id].phones[row.number] = phone
        return known

    async def _write_intake(
        self,
        checked: Checked,
        sha256: str,
        new: Sequence[CaseIn],
        changed: Sequence[tuple[_Known, CaseIn]],
    ) -> int | None:
        """Keep who handed over what; None: this very file is in already, with nothing to add."""
        seen = select(func.count()).where(
            Intake.campaign_id == self._campaign.id, Intake.sha256 == sha256
        )
        if not new and not changed and await self._session.scalar(seen):
            return None
        intake = Intake(
            campaign_id=self._campaign.id,
            sha256=sha256,
            at=self._now,
            handed_by=self._handed_by,
            rows=checked.rows,
            added=len(new),
            changed=len(changed),
            unchanged=len(checked.cases) - len(new) - len(changed),
            refused=checked.refused,
        )
        self._session.add(intake)
        await self._session.flush()
        return intake.id

    async def _add(self, new: Sequence[CaseIn], intake_id: int) -> None:
        if not new:
            return
        fixed = {
            "campaign_id": self._campaign.id,
            "intake_id": intake_id,
            "status": CaseStatus.OPEN.value,
            "clause": None,
            "appointment": None,
        }
        rows: list[dict[str, Any]] = [fixed | self._written(case) for case in new]
        await self._session.execute(insert(table_of(CaseRow)), rows)
        query = select(CaseRow.reference, CaseRow.id).where(CaseRow.intake_id == intake_id)
        ids = {row.reference: row.id for row in await self._session.execute(query)}
        await self._add_phones(
            (ids[case.reference], position, digits, kind.value)
            for case in new
            for position, (digits, kind) in enumerate(case.phones, start=1)
        )
        self._work.added = set(ids.values())
        await self._stop_again({ids[row["reference"]]: row["person_key"] for row in rows})

    async def _add_phones(self, phones: Iterable[tuple[int, int, str, str]]) -> None:
        """Add phones, each as case id, position, digits and kind."""
        rows = [
            {
                "campaign_id": self._campaign.id,
                "case_id": case_id,
                "position": position,
                "number": digits,
                "number_key": self._keys.number(digits),
                "kind": kind,
                "learned": False,
                "status": PhoneStatus.OPEN.value,
                "counted": 0,
                "weekend_met": False,
                "due_at": None,
                "rank": 0,
            }
            for case_id, position, digits, kind in phones
        ]
        if rows:
            await self._session.execute(insert(table_of(PhoneRow)), rows)

    def _written(self, case: CaseIn) -> dict[str, Any]:
        copied = {name: getattr(case, name) for name in _COPIED}
        return copied | {
            "person_key": self._keys.person(case.person_number),
            "household_key": self._keys.household(case.household_number),
        }

    async def _change(self, changed: Sequence[tuple[_Known, CaseIn]]) -> None:
        if not changed:
            return
        statement = (
            update(table_of(CaseRow))
            .where(CaseRow.id == bindparam("case"))
            .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
        )
        await self._session.execute(
            statement,
            [
                {"case": was.id, **{f"new_{k}": v for k, v in self._written(case).items()}}
                for was, case in changed
            ],
        )
        self._work.changed = {was.id for was, _case in changed}
        for was, case in changed:
            await self._change_phones(was, case)

    async def _change_phones(self, was: _Known, case: CaseIn) -> None:
        named = dict(case.phones)
        gone = [phone for digits, phone in was.phones.items() if digits not in named]
        removed = [phone.id for phone in gone if phone.removable]
        if removed:
            await self._session.execute(delete(table_of(PhoneRow)).where(PhoneRow.id.in_(removed)))
        last = max((phone.position for phone in was.phones.values()), default=0)
        new = [(digits, kind) for digits, kind in case.phones if digits not in was.phones]
        await self._add_phones(
            (was.id, position, digits, kind.value)
            for position, (digits, kind) in enumerate(new, start=last + 1)
        )
        if len(removed) < len(gone):
            self._work.findings.append(
                Finding(
                    line=case.line,
                    column=None,
                    reference=case.reference,
                    message="すでに架電した、または通話で伺った番号がファイルにありません。番号は残しました",
                    severity=Severity.WARNING,
                )
            )

    async def _stop_again(self, person_keys: dict[int, str]) -> None:
        """A stop order of an earlier month holds for the person's new case."""
        stopped = await stops.stopped_among(self._session, set(person_keys.values()))
        held = [case_id for case_id, key in person_keys.items() if key in stopped]
        rows = [
            {
                "case_id": case_id,
                "kind": FactKind.STOP.value,
                "at": self._now,
                "by": self._handed_by,
            }
            for case_id in held
        ]
        if rows:
            await self._session.execute(insert(table_of(CaseFact)), rows)
        self._work.stopped.update(held)

    async def _stop_anew(self, cases: Collection[CaseIn]) -> None:
        """What the file's stop flags say; one who is stopped already stays so."""
        for case in cases:
            if case.stop:
                self._work.stopped.update(
                    await stops.order(
                        self._session,
                        self._keys.person(case.person_number),
                        at=self._now,
                        by=self._handed_by,
                    )
                )


def _is_same(was: _Known, case: CaseIn) -> bool:
    """Whether the file says nothing new of a known case, its stop flag aside."""
    named = dict(case.phones)
    gone = any(phone.removable for digits, phone in was.phones.items() if digits not in named)
    return (
        not gone
        and named.keys() <= was.phones.keys()
        and was.values == tuple(getattr(case, name) for name in _COPIED)
    )
