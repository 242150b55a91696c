"""The generic webhook: an alert by a mapping of the operator's, field -> path in the payload (docs/webhooks.md)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kit.alert_identity import fingerprint, identity
from adapters.kit.alert_text import severity
from adapters.kit.records import Alert
from adapters.kit.shape import moment

RESOLVED = frozenset({"resolved", "ok", "closed", "recovered", "up", "normal"})
DEEPEST = 12


def mapped(source: str, mapping: Mapping[str, str], body: Mapping[str, object]) -> Alert:
    """The alert that the payload tells of.

    Args:
        mapping: `title`, `service`, `severity`, `state`, `key`, `text`, `url`, `started_at` -> a path such as
            `incident.labels.0.name`; a value that begins with `=` is meant as it stands.
    """
    said = {name: value_at(path, body) for name, path in mapping.items()}
    title = said.get("title", "")[:1_000] or f"Alert from {source}"
    resolved = said.get("state", "").casefold() in RESOLVED
    service = said.get("service", "")[:200]
    return Alert(
        source=source,
        state="resolved" if resolved else "firing",
        title=title,
        service=service,
        severity=severity(said.get("severity", "")),
        fingerprint=fingerprint(source, said.get("key") or identity(title), service),
        started_at=moment(said.get("started_at")),
        text=said.get("text", "")[:20_000] or title,
        url=said.get("url", "")[:2_000],
    )


def value_at(path: str, body: object) -> str:
    """The text at a dotted path; empty where there is none."""
    if path.startswith("="):
        return path[1:]
    for part in path.split(".")[:DEEPEST]:
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdigit() and int(part[:6]) < len(body):
            body = body[int(part[:6])]
        else:
            return ""
    if isinstance(body, bool) or not isinstance(body, str | int | float):
        return ""
    return str(body)
