"""Run by alembic: migrates the database whose connection `db.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from db.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by copying it
    render_as_batch=True,
    # a migration is history: it must not change when a type of `db.types` does
    user_module_prefix="sa.",
)
with context.begin_transaction():
    context.run_migrations()
