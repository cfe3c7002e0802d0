"""The migrated schema is the models' schema, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from db.errors import DatabaseError
from db.session import make_engine, make_sessions
from db.tables import Base
from db.upgrade import head, revision_of, upgrade


def schema(connection: Connection) -> dict[str, Any]:
    """Everything the database itself tells of its tables."""
    tables = inspect(connection)
    return {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in tables.get_columns(name)
            ],
            "primary key": tables.get_pk_constraint(name),
            "foreign keys": sorted(map(str, tables.get_foreign_keys(name))),
            "unique": sorted(map(str, tables.get_unique_constraints(name))),
            "checks": sorted(map(str, tables.get_check_constraints(name))),
            "indexes": sorted(map(_index, tables.get_indexes(name))),
        }
        for name in tables.get_table_names()
        if name != "alembic_version"
    }


def _index(index: Any) -> str:
    options = {key: str(value) for key, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def differences(connection: Connection) -> list[Any]:
    """What alembic would migrate to come from the database to the models."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


async def test_alembic_finds_no_difference_between_migrations_and_models(
    database_url: str,
) -> None:
    engine = make_engine(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrations_and_models_make_the_same_tables(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        by_models = await connection.run_sync(schema)
        await connection.run_sync(Base.metadata.drop_all)
    await upgrade(empty_database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(schema) == by_models
    await engine.dispose()


async def test_an_empty_database_is_brought_to_the_head_and_again_changes_nothing(
    empty_database_url: str,
) -> None:
    assert await revision_of(empty_database_url) is None
    await upgrade(empty_database_url)
    await upgrade(empty_database_url)
    assert await revision_of(empty_database_url) == head()


async def test_a_database_without_tables_says_what_to_do(empty_database_url: str) -> None:
    sessions = make_sessions(empty_database_url)
    with pytest.raises(DatabaseError, match="dialer db upgrade"):
        async with sessions.read() as session:
            await session.execute(text("SELECT * FROM campaign"))
    await sessions.close()


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(DatabaseError, match="newer version"):
        await upgrade(empty_database_url)
