"""Sentry's webhooks of an internal integration: issues and issue alerts, signed with the client secret.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, moment, word
from adapters.kit.webhook import by_hmac, first, posted

verify = by_hmac("Sentry-Hook-Signature")


def read(body: Json) -> Iterator[Alert]:
    """The issue that was created, alerted on or resolved."""
    data = inner(body, "data")
    issue = inner(data, "issue") or inner(data, "event")
    link = first(issue, "web_url", "permalink", "issue_url", "url", limit=1_000)
    title, action = word(issue, "title"), word(body, "action")
    if not title or action in {"assigned", "archived", "ignored"}:
        return
    shown = f"Resolved: {title}" if action == "resolved" else title
    project = first(inner(issue, "project"), "slug") or word(data, "project_slug")
    found = posted(
        "Sentry", shown, link=link, text=word(issue, "culprit"), fields={"project": project}
    )
    if found is not None:
        state = "resolved" if action == "resolved" else "firing"
        began = moment(issue.get("firstSeen"))
        yield found.model_copy(
            update={"state": state, "service": project or found.service, "started_at": began}
        )
