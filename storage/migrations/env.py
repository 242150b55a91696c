"""Run by Alembic inside the transaction that `storage.schema` has opened; there is no offline mode."""

from __future__ import annotations

from alembic import context

from storage.models import Row

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
