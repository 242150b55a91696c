"""Prometheus Alertmanager: what is firing now, and the messages that its Slack receiver posts.

It forgets an alert soon after it ended: the history is in Prometheus. The default template leaves `text` empty and writes `[FIRING:2] name (common labels)` into the attachment's title;
nearly everybody has templates of their own, so the status token may stand anywhere in a headline and labels
in any list of `name: value`.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml,
https://prometheus.io/docs/alerting/latest/configuration/#slack_config and
https://github.com/prometheus/alertmanager/blob/main/template/default.tmpl
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from pydantic import Field

from adapters.kit.access import WebSettings, opened
from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import EXPORTER, alert, labels, service, severity
from adapters.kit.capabilities import Check, EventQuery
from adapters.kit.quote import go_string
from adapters.kit.records import Alert, AlertState, Page, Severity
from adapters.kit.shape import Json, inner, mapping, moment, objects, word, words
from adapters.kit.slack_message import Message, Signs

TYPES: Mapping[str, tuple[str, ...]] = {"alert_sources": ("alertmanager",)}
SCOPES = (
    "Read access to /api/v2/alerts and /api/v2/status; no sign-in where Alertmanager asks for none."
)
TESTED = "A real Alertmanager; a recorded status; the conformance suite."

SIGNS = Signs(
    names=("alertmanager", "prometheus"),
    urls=re.compile(
        r"/#/(?:alerts|silences)\b|//[^/]{0,200}alertmanager|/graph\?g0\.expr=", re.IGNORECASE
    ),
)

_TOKEN = re.compile(r"\[\s?(FIRING|RESOLVED)\b[^\]\n]{0,40}\]", re.IGNORECASE)
_PLAIN = re.compile(
    r"^(?::[\w+-]{1,40}:|\W){0,6}(?:alert\s)?(FIRING|RESOLVED)(?:\s?\(?:?\d+\)?)?(?:\s?[:|–—-]|\s)\s?(?=\S)",
    re.IGNORECASE,
)
_COMMON = re.compile(r"\(([^()]{1,400})\)\s*$")
_SERVICE = re.compile(
    r"[a-z][a-z0-9-]{0,60}-(?:api|service|svc|app|server|worker|web|gateway|backend|frontend|db|proxy|consumer|processor)"
)


class Settings(WebSettings):
    """Where Alertmanager is."""

    service_labels: tuple[str, ...] = Field(
        default=("service", "app", "application", "job"),
        description="Labels that name the service, the first that is there counts",
    )
    tenant: str = Field(default="", description="X-Scope-OrgID, for Mimir and Cortex")


class Adapter:
    """Lists what fires now, silenced and inhibited alerts too: whoever silenced it knew that it fires."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(
            name,
            settings,
            headers={"X-Scope-OrgID": settings.tenant} if settings.tenant else {},
            advice="give this source a token or password that may read alerts",
        )

    def alerts(self, query: EventQuery) -> Iterator[Page[Alert]]:
        """List what began before the window's end and still fires, the earliest first.

        Raises:
            AdapterError: no answer.
        """
        answer = self._http.get("api/v2/alerts").json()
        found = [
            alert
            for one in objects(self.name, answer, "list of alerts")
            if (alert := self._parse(one)) is not None
            and alert.started_at is not None
            and alert.started_at < query.window.until
            and (alert.ended_at is None or alert.ended_at > query.window.since)
            and (not query.service or alert.service in {"", query.service})
        ]
        found.sort(key=lambda alert: (str(alert.started_at), alert.fingerprint))
        more = len(found) > query.limit
        cut = f"Only {query.limit} of {len(found)} alerts are shown." if more else ""
        yield Page(tuple(found[: query.limit]), cut)

    def check(self) -> Check:
        """Ask for the version.

        Raises:
            AdapterError: no answer.
        """
        status = mapping(self.name, self._http.get("api/v2/status").json(), "status")
        version = word(inner(status, "versionInfo"), "version", limit=40)
        return Check(ok=True, detail="Alertmanager lists alerts", version=version)

    def _parse(self, one: Json) -> Alert | None:
        began = moment(one.get("startsAt"))
        key = word(one, "fingerprint", limit=64)
        if began is None or not key:
            return None
        attached = words(one.get("labels"))
        notes = words(one.get("annotations"))
        named = (attached.get(label, "") for label in self._settings.service_labels)
        name = attached.get("alertname", "(unnamed alert)")
        suppressed = word(one, "status", "state") == "suppressed"
        said = [notes.get("summary", ""), notes.get("description", "") or notes.get("message", "")]
        return Alert(
            source=self.name,
            state="acknowledged" if suppressed else "firing",
            title=notes.get("summary") or name,
            service=next((value for value in named if value and not EXPORTER.search(value)), ""),
            severity=severity(attached.get("severity", "")),
            fingerprint=key,
            started_at=began,
            labels=attached,
            links=_links(notes, word(one, "generatorURL", limit=2_000)),
            text="\n".join(text for text in (name, *said) if text),
            url=f"{self._settings.url}/#/alerts?filter={_filter(attached)}",
        )


def _links(notes: Mapping[str, str], generator: str) -> dict[str, str]:
    """Annotations that are addresses, by the kind of page they lead to."""
    found = {"query": generator} if generator else {}
    for name, value in notes.items():
        if value.startswith(("https://", "http://")) and len(found) < 12:
            found[name.removesuffix("_url").removesuffix("_uri")] = value
    return found


def _filter(attached: Mapping[str, str]) -> str:
    pairs = [f"{name}={go_string(value)}" for name, value in sorted(attached.items())]
    return quote("{" + ",".join(pairs) + "}", safe="")


def recognise(message: Message) -> Alert | None:
    """The alert group that Alertmanager notified of."""
    head = _headline(message)
    if head is None:
        return None
    title, state = head
    attached = labels(message)
    common = _COMMON.search(title)
    words = common.group(1).split() if common else []
    return alert(
        message,
        "alertmanager",
        state,
        title,
        key=(identity(title, keep_words=True), *targets(message)),
        labels=attached,
        service=service(message, attached)
        or _job(attached)
        or next(filter(_SERVICE.fullmatch, words), ""),
        severity=_severity(attached, words),
    )


def _job(attached: dict[str, str]) -> str:
    """A scrape job usually has the service's name, unless it is that of an exporter."""
    job = attached.get("job", "").rsplit("/", 1)[-1]
    return "" if EXPORTER.search(job) else job


def _headline(message: Message) -> tuple[str, AlertState] | None:
    """The headline without its status token, and the state; a group with both kinds is still firing."""
    for candidate in message.titles:
        states = {token.casefold() for token in _TOKEN.findall(candidate.label)}
        if states:
            bare = _TOKEN.sub(" ", candidate.label).strip(" *:-|")
            return bare or message.value(
                "alertname"
            ), "firing" if "firing" in states else "resolved"
    if not message.strength(SIGNS) and not message.fields.get("alertname"):
        return None
    for candidate in message.titles:
        plain = _PLAIN.match(candidate.label)
        if plain:
            bare = candidate.label[plain.end() :]
            return bare, "firing" if plain.group(1).casefold() == "firing" else "resolved"
    return _from_labels(message)


def _from_labels(message: Message) -> tuple[str, AlertState] | None:
    """Templates without a status token: the state is a field, or the colour that the default sets."""
    name = message.value("alertname", "alert name", "alert")
    status = message.value("status", "state").casefold()
    named = "alertname" in message.fields or message.value("severity", "instance", "job")
    if not name or not named or re.search(r"\bsilence", message.title, re.IGNORECASE):
        return None
    if "resolved" in status or (not status and message.colors[:1] in {("2eb886",), ("good",)}):
        return name, "resolved"
    return name, "firing"


def _severity(attached: dict[str, str], words: list[str]) -> Severity:
    named = severity(attached.get("severity", ""))
    known = (severity(word) for word in words if word.casefold() not in {"high", "low", "none"})
    return (
        named if named != "unknown" else next((one for one in known if one != "unknown"), "unknown")
    )
