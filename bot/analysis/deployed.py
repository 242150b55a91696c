"""When each change reached production, and whether that can have caused what began at the onset.

These terms are priors and not fitted: the public cases of the benchmark know no deploys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.kit.records import Commit, Deploy
from bot.analysis.findings import Onset, Term

SLACK = timedelta(minutes=2)  # clocks of hosts differ
IMPOSSIBLE = -4.0
"""A deploy that is not known may have carried the change: all but impossible."""

EXCLUDED = -30.0
"""A change that did not exist when it began: no text can outweigh that."""

AFTER = "committed after it began"
JUST_DEPLOYED = 2.0
JUST_COMMITTED = 0.8
_FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "rejected", "aborted"})


@dataclass(frozen=True, slots=True)
class Timing:
    """When a change was first deployed, if that is known, and what it says.

    Attributes:
        late: it was made only after it began, so it is no candidate.
    """

    deployed_at: datetime | None
    terms: tuple[Term, ...]
    late: bool = False


def timing(
    commits: Sequence[Commit],
    deploys: Sequence[Deploy],
    onset: Onset | None,
    as_of: datetime | None,
    service: str = "",
    alert_at: datetime | None = None,
) -> list[Timing]:
    """For each commit: its first deploy, and terms for and against from the order of events.

    It began at the latest when the onset's interval ends, when the alert fired, and at `as_of`. Commits are newest
    first. A deploy of a sha carries that commit and all older ones; deploys that name no known sha carry what was
    committed before them.
    """
    rollouts = _rollouts(commits, deploys, service)
    bounds = (onset.latest if onset else None, alert_at, as_of)
    latest = min((bound for bound in bounds if bound is not None), default=None)
    result: list[Timing] = []
    for index, commit in enumerate(commits):
        at = min(
            (when for first, when in rollouts if _carries(first, when, index, commit)), default=None
        )
        if latest and _made_after(commit, at, latest + SLACK):
            result.append(Timing(at, (_too_new(commit),), late=True))
        else:
            terms = _judge(commit, at, onset, latest, known=bool(rollouts))
            result.append(Timing(at, tuple(terms)))
    return result


def _rollouts(
    commits: Sequence[Commit], deploys: Sequence[Deploy], service: str
) -> list[tuple[int | None, datetime]]:
    """The newest commit (by position) that each successful deploy carried, and when."""
    repos = {commit.repo for commit in commits}
    found: list[tuple[int | None, datetime]] = []
    for deploy in deploys:
        ours = (
            not service or not deploy.service or deploy.service == service or deploy.repo in repos
        )
        if deploy.kind != "deploy" or deploy.status.lower() in _FAILED or not ours:
            continue
        position = _position(commits, deploy.sha) if len(deploy.sha) >= 7 else None
        found.append((position, deploy.at))
    if any(position is not None for position, _ in found):
        return [rollout for rollout in found if rollout[0] is not None]
    return found


def _position(commits: Sequence[Commit], sha: str) -> int | None:
    matches = (index for index, commit in enumerate(commits) if commit.sha.startswith(sha.lower()))
    return next(matches, None)


def _carries(first: int | None, when: datetime, index: int, commit: Commit) -> bool:
    return index >= first if first is not None else commit.committed_at <= when


def _made_after(commit: Commit, deployed_at: datetime | None, limit: datetime) -> bool:
    """Whether a change did not exist at `limit`; a deploy before it proves a rewritten date of the commit."""
    return commit.committed_at > limit and (deployed_at is None or deployed_at > limit)


def _too_new(commit: Commit) -> Term:
    evidence = f"committed {commit.committed_at:%Y-%m-%d %H:%M} UTC; it may be the fix"
    return Term(name=AFTER, weight=EXCLUDED, evidence=evidence)


def _judge(
    commit: Commit,
    deployed_at: datetime | None,
    onset: Onset | None,
    latest: datetime | None,
    *,
    known: bool,
) -> list[Term]:
    began = onset.at if onset else None
    if latest and deployed_at and deployed_at > latest + SLACK:
        evidence = f"first deployed {deployed_at:%Y-%m-%d %H:%M} UTC, after it began"
        return [Term(name="deployed too late", weight=IMPOSSIBLE, evidence=evidence)]
    if known and not deployed_at:
        evidence = "newer than every known deploy"
        return [Term(name="not deployed", weight=IMPOSSIBLE, evidence=evidence)]
    if began and deployed_at:
        minutes = max((began - deployed_at).total_seconds(), 0.0) / 60
        weight = JUST_DEPLOYED * math.exp(-minutes / 30)
        return _if_felt("deploy before onset", weight, f"deployed {_ago(minutes)} before the onset")
    if began:
        minutes = max((began - commit.committed_at).total_seconds(), 0.0) / 60
        weight = JUST_COMMITTED * math.exp(-minutes / 720)
        return _if_felt(
            "commit before onset", weight, f"committed {_ago(minutes)} before the onset"
        )
    return []


def _if_felt(name: str, weight: float, evidence: str) -> list[Term]:
    return [Term(name=name, weight=weight, evidence=evidence)] if weight >= 0.01 else []


def _ago(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} days"
