"""What the bot remembers: earlier investigations that may be about the same, and what the models cost today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.crew.desk import Past
from storage import investigations
from storage.models import Investigation, InvestigationState

LOOKED_AT = 100
MOST = 8
_LONGEST = 600


def earlier(session: Session, case: Investigation) -> tuple[Past, ...]:
    """Finished investigations of the same alert, then of the same service, newest first, at most `MOST`."""
    recent = investigations.recent(
        session, case.workspace, LOOKED_AT, state=InvestigationState.DONE, before_id=case.id
    )
    alert = _fingerprint(case)
    same = [r for r in recent if alert and _fingerprint(r) == alert]
    alike = [r for r in recent if case.service and r.service == case.service and r not in same]
    return tuple(_past(r, same_alert=r in same) for r in (*same, *alike)[:MOST])


def _fingerprint(case: Investigation) -> str:
    return str((case.alert or {}).get("fingerprint", ""))


def _past(case: Investigation, *, same_alert: bool) -> Past:
    return Past(
        number=case.id or 0,
        at=case.created_at,
        question=case.question[:_LONGEST],
        service=case.service,
        conclusion=case.conclusion or "",
        summary=(case.summary or "")[:_LONGEST],
        same_alert=same_alert,
    )


def spent_today(session: Session, now: datetime) -> float:
    """US dollars that the reports of this UTC day say the models cost; unknown prices count nothing."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    total, before = 0.0, None
    while True:
        page = investigations.recent(session, None, LOOKED_AT, before_id=before)
        total += sum(_cost(case) for case in page if case.created_at >= midnight)
        if not page or page[-1].created_at < midnight - timedelta(hours=1):
            return total
        before = page[-1].id


def _cost(case: Investigation) -> float:
    usage = (case.report or {}).get("usage")
    cost = usage.get("cost") if isinstance(usage, Mapping) else None
    return float(cost) if isinstance(cost, int | float) else 0.0
