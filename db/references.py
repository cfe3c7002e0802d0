"""The city's references (整理番号) and the persons behind them, over all months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import ConflictError, NotFoundError
from db.tables import CaseRow


async def cases_called(session: AsyncSession, reference: str) -> list[CaseRow]:
    """The cases with this reference, of all months, newest month first.

    Raises:
        NotFoundError: there is none.
    """
    query = select(CaseRow).where(CaseRow.reference == reference).order_by(CaseRow.id.desc())
    found = list(await session.scalars(query))
    if not found:
        raise NotFoundError(f"case {reference}: does not exist")
    return found


async def person_called(session: AsyncSession, reference: str) -> str:
    """Key of the one person whose cases have this reference.

    Raises:
        NotFoundError: there is no such case.
        ConflictError: the city gave the reference to several persons in different months.
    """
    keys = {case.person_key for case in await cases_called(session, reference)}
    if len(keys) > 1:
        raise ConflictError(
            f"case {reference}: belongs to several persons; use one of another month"
        )
    return keys.pop()


async def references_of(
    session: AsyncSession, person_keys: Collection[str]
) -> dict[str, list[str]]:
    """The references of these persons' cases, by person, oldest month first."""
    query = (
        select(CaseRow.person_key, CaseRow.reference)
        .where(CaseRow.person_key.in_(person_keys))
        .order_by(CaseRow.id)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for person_key, reference in await session.execute(query):
        found[person_key].append(reference)
    return dict(found)
