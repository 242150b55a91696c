"""The memory of incidents: full-text search over what was investigated, on both databases.

What is indexed are plain words (`words`), split here and not by the databases, so that both find the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, TextClause, bindparam, text
from sqlmodel import Session, col, func, select

from storage.columns import JsonObject, dumps, loads
from storage.db import insert
from storage.models import Investigation, InvestigationState, Memory

_WORD = re.compile(r"[^\W_]+")
LONGEST_WORD = 40
INDEXED_WORDS = 1_500
QUERY_WORDS = 24


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What is kept of an investigation for those to come; `features` belong to whoever compares them."""

    investigation_id: int
    workspace: str
    service: str
    at: datetime
    cause: str
    features: JsonObject


@dataclass(frozen=True)
class Hit:
    """An investigation that was found; `rank` only orders the hits of one search, the best first."""

    investigation_id: int
    at: datetime
    service: str
    question: str
    conclusion: str
    summary: str
    cause: str
    rank: float


def words(text_: str, limit: int = INDEXED_WORDS) -> list[str]:
    """The words of a text in lower case, at most `limit`, each at most 40 characters."""
    found: list[str] = []
    for match in _WORD.finditer(text_.casefold()):
        found.append(match.group()[:LONGEST_WORD])
        if len(found) == limit:
            break
    return found


def remember(session: Session, what: Remembered, texts: Iterable[str]) -> None:
    """Keep an investigation to be found by `texts`; a second time replaces the first."""
    statement = insert(session, Memory)
    new = statement.excluded
    changed = ("workspace", "service", "at", "cause", "words", "features")
    session.exec(
        statement.on_conflict_do_update(
            index_elements=["investigation_id"], set_={name: new[name] for name in changed}
        ),
        params={
            "investigation_id": what.investigation_id,
            "workspace": what.workspace,
            "service": what.service,
            "at": what.at,
            "cause": what.cause,
            "words": " ".join(words("\n".join(texts))),
            "features": what.features,
        },
    )


_ANY_WORKSPACE = "(:workspace = '' OR m.workspace = :workspace)"
_SHOWN = """
    m.investigation_id, m.at, m.service, m.cause, m.features,
    i.question, coalesce(i.conclusion, '') AS conclusion, i.summary
"""
_SQLITE = text(f"""
    WITH found AS (
        SELECT f.rowid AS id, f.rank AS rank FROM memory_fts f
        JOIN memory m ON m.investigation_id = f.rowid
        WHERE memory_fts MATCH :query AND {_ANY_WORKSPACE}
        ORDER BY f.rank LIMIT :most
    )
    SELECT {_SHOWN}, found.rank FROM found
    JOIN memory m ON m.investigation_id = found.id
    JOIN investigation i ON i.id = found.id
    ORDER BY found.rank, m.investigation_id DESC
""")  # noqa: S608 - constants; what is asked for is bound
_POSTGRES = text(f"""
    WITH found AS (
        SELECT m.investigation_id AS id, -ts_rank(m.document, query) AS rank
        FROM memory m, to_tsquery('simple', :query) query
        WHERE m.document @@ query AND {_ANY_WORKSPACE}
        ORDER BY rank LIMIT :most
    )
    SELECT {_SHOWN}, found.rank FROM found
    JOIN memory m ON m.investigation_id = found.id
    JOIN investigation i ON i.id = found.id
    ORDER BY found.rank, m.investigation_id DESC
""")  # noqa: S608 - constants; what is asked for is bound


def search(session: Session, workspace: str | None, query: str, limit: int = 20) -> list[Hit]:
    """Investigations that hold every word of `query` (the last one may be a beginning), the best first.

    Any text is a valid query; one without words finds nothing. `workspace` None: all of them.
    """
    wanted = words(query, QUERY_WORDS)
    if not wanted:
        return []
    if _is_sqlite(session):
        expression = " AND ".join([*(f'"{w}"' for w in wanted[:-1]), f'"{wanted[-1]}"*'])
    else:
        expression = " & ".join([*(f"'{w}'" for w in wanted[:-1]), f"'{wanted[-1]}':*"])
    return [_hit(row) for row in _found(session, workspace, expression, limit)]


def alike(
    session: Session, workspace: str, texts: Sequence[str], limit: int = 50
) -> list[tuple[Hit, JsonObject]]:
    """Candidates for likeness with their features: those that share most words with `texts`, rare words first."""
    wanted = list(dict.fromkeys(w for t in texts for w in words(t) if len(w) > 2))[:QUERY_WORDS]
    if not wanted:
        return []
    joiner, quote = (" OR ", '"') if _is_sqlite(session) else (" | ", "'")
    expression = joiner.join(f"{quote}{w}{quote}" for w in wanted)
    rows = _found(session, workspace, expression, limit)
    return [(_hit(row), _features(row["features"])) for row in rows]


def recurrences(session: Session, workspace: str, service: str, since: datetime) -> int:
    """How many finished investigations of a service there were since then."""
    query = select(func.count()).where(
        Investigation.workspace == workspace,
        Investigation.service == service,
        Investigation.state == InvestigationState.DONE,
        col(Investigation.created_at) >= since,
    )
    return session.exec(query).one()


def _found(
    session: Session, workspace: str | None, expression: str, limit: int
) -> Sequence[RowMapping]:
    statement: TextClause = _SQLITE if _is_sqlite(session) else _POSTGRES
    bound = statement.bindparams(
        bindparam("query", expression),
        bindparam("workspace", workspace or ""),
        bindparam("most", limit),
    ).columns(at=Memory.__table__.c.at.type)  # type: ignore[attr-defined]
    return session.execute(bound).mappings().all()


def _hit(row: RowMapping) -> Hit:
    return Hit(
        investigation_id=row["investigation_id"],
        at=row["at"],
        service=row["service"],
        question=row["question"],
        conclusion=row["conclusion"],
        summary=row["summary"],
        cause=row["cause"],
        rank=float(row["rank"]),
    )


def _features(value: object) -> JsonObject:
    """Text on SQLite, already read on Postgres."""
    read: JsonObject = loads(value if isinstance(value, str) else dumps(value))
    return read


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
