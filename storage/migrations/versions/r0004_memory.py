"""The memory of incidents, searchable, and the ticks of the schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# FTS5 keeps no copy of the text: it reads `memory`, and triggers keep it in step. Whoever rebuilds `memory` by a
# batch operation must make the triggers again: SQLite drops them with the old table.
SQLITE = (
    """
    CREATE VIRTUAL TABLE memory_fts USING fts5(
        words, content='memory', content_rowid='investigation_id', tokenize='unicode61'
    )
    """,
    """
    CREATE TRIGGER memory_added AFTER INSERT ON memory BEGIN
        INSERT INTO memory_fts(rowid, words) VALUES (new.investigation_id, new.words);
    END
    """,
    """
    CREATE TRIGGER memory_gone AFTER DELETE ON memory BEGIN
        INSERT INTO memory_fts(memory_fts, rowid, words)
        VALUES ('delete', old.investigation_id, old.words);
    END
    """,
    """
    CREATE TRIGGER memory_changed AFTER UPDATE ON memory BEGIN
        INSERT INTO memory_fts(memory_fts, rowid, words)
        VALUES ('delete', old.investigation_id, old.words);
        INSERT INTO memory_fts(rowid, words) VALUES (new.investigation_id, new.words);
    END
    """,
)
POSTGRES = (
    """
    ALTER TABLE memory ADD COLUMN document tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED
    """,
    "CREATE INDEX ix_memory_document ON memory USING gin (document)",
)


def upgrade() -> None:
    op.create_table(
        "memory",
        sa.Column("investigation_id", sa.Integer(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["investigation_id"],
            ["investigation.id"],
            name="fk_memory_investigation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("investigation_id", name="pk_memory"),
    )
    op.create_index("ix_memory_at", "memory", ["workspace", "at"])
    op.create_table(
        "tick",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tick"),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE memory_fts")
    op.drop_table("tick")
    op.drop_table("memory")
