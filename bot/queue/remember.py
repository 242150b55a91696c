"""What an investigation leaves behind for those to come, and what those before it have left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlmodel import Session

from adapters.kit.records import Alert
from bot.analysis.findings import Findings
from bot.analysis.similar import ALIKE, Traits, likeness, score, traits
from bot.crew.desk import Past
from bot.report import Report, Similar
from storage import search
from storage.models import Investigation
from storage.search import Hit, Remembered

SHOWN = 3
CANDIDATES = 50


def remember(
    session: Session, case: Investigation, findings: Findings, report: Report, now: datetime
) -> None:
    """Keep the investigation to be found again, in the transaction that stores its report."""
    what = Remembered(
        investigation_id=case.id,
        workspace=case.workspace,
        service=report.service or case.service,
        at=report.onset.at if report.onset else now,
        cause=_cause(report),
        features=_traits(case, findings).model_dump(mode="json"),
    )
    search.remember(session, what, _texts(case, report))


def similar(session: Session, case: Investigation, findings: Findings) -> tuple[Similar, ...]:
    """Earlier incidents that are much alike, the likest first; the newer one of equals."""
    mine = _traits(case, findings)
    texts = (*mine.patterns, *mine.frames, mine.service, *_asked(case))
    candidates = search.alike(session, case.workspace, texts, CANDIDATES)
    found = [
        _compared(mine, hit, features)
        for hit, features in candidates
        if hit.investigation_id != case.id
    ]
    alike = [one for one in found if one is not None and one.score >= ALIKE]
    alike.sort(key=lambda one: (-one.score, -one.at.timestamp()))
    times = len(alike)
    return tuple(
        one.model_copy(update={"id": f"P{rank}", "times": times})
        for rank, one in enumerate(alike[:SHOWN], 1)
    )


def likest_first(known: Sequence[Past], alike: Sequence[Similar]) -> tuple[Past, ...]:
    """What a narrator may read of the past, so that `P1` is the same there and in the report."""
    numbers = {one.number for one in alike}
    others = [past for past in known if past.number not in numbers]
    by_number = {past.number: past for past in known}
    return (*(by_number.get(one.number) or _past(one) for one in alike), *others)


def _past(one: Similar) -> Past:
    return Past(
        number=one.number,
        at=one.at,
        question=one.question,
        service=one.service,
        conclusion=one.conclusion,
        summary=f"cause then: {one.cause}",
    )


def _compared(mine: Traits, hit: Hit, features: dict[str, object]) -> Similar | None:
    try:
        terms = likeness(mine, Traits.model_validate(features))
    except ValidationError:  # another release remembered it
        return None
    return Similar(
        id="P",
        number=hit.investigation_id,
        at=hit.at,
        service=hit.service,
        question=hit.question[:300],
        conclusion=hit.conclusion,
        cause=hit.cause,
        score=round(score(terms), 3),
        terms=terms,
        times=1,
    )


def _traits(case: Investigation, findings: Findings) -> Traits:
    return traits(findings, search.words("\n".join(_asked(case))))


def _asked(case: Investigation) -> Sequence[str]:
    alert = Alert.model_validate(case.alert).text if case.alert else ""
    return (case.question, alert)


def _texts(case: Investigation, report: Report) -> Iterator[str]:
    """What the search finds it by; the most telling first, because long reports are cut."""
    yield from _asked(case)
    yield report.service or case.service
    yield report.summary
    yield from (pattern.template for pattern in report.patterns[:12])
    yield from (suspect.title for suspect in report.suspects[:3])
    yield from (claim.text for claim in report.claims[:20])
    yield from (
        f"{f.file} {f.function} {f.exception}" for p in report.patterns[:6] for f in p.frames[:6]
    )


def _cause(report: Report) -> str:
    """What it was then, in a line."""
    if report.conclusion in {"confirmed", "likely"} and report.suspects:
        first = report.suspects[0]
        return f"{first.sha[:10]} {first.title}".strip()[:300]
    return report.summary.split(". ")[0][:300]
