"""PagerDuty: incidents with what people noted, change events, and the messages of its Slack app.

The app posts one message an incident and edits it as the incident moves on.

https://developer.pagerduty.com/api-reference/ and https://support.pagerduty.com/main/docs/slack-user-guide
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import httpx
from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, severity, state_in
from adapters.kit.capabilities import Check, EventQuery
from adapters.kit.errors import AdapterError
from adapters.kit.http import Http
from adapters.kit.records import Alert, AlertState, Deploy, Incident, Page, Severity, Window
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import Json, inner, listed, mapping, moment, objects, word
from adapters.kit.slack_message import Message, Signs

TYPES: Mapping[str, tuple[str, ...]] = {
    "incident_sources": ("pagerduty",),
    "deploy_sources": ("pagerduty",),
}
SCOPES = "A read-only REST API key, or an OAuth token with incidents.read, services.read, change_events.read, oncalls.read."
TESTED = "Requests and answers against PagerDuty's OpenAPI document and its examples; the conformance suite."

PAGE: Final = 100
MAX_OFFSET: Final = 10_000  # the API refuses offset + limit beyond it

SIGNS = Signs(
    app_ids=("A1FKYAUUX",),
    names=("pagerduty",),
    urls=re.compile(r"\.pagerduty\.com/(?:incidents|alerts)/", re.IGNORECASE),
)

_INCIDENT = re.compile(r"\.pagerduty\.com/(?:incidents|alerts)/([\w.-]{1,60})", re.IGNORECASE)
_ACTIVITY = re.compile(
    r"\b(?:added a (?:note|responder)|note added|priority (?:was )?(?:changed|updated|set)|status update|requested (?:additional )?responders|"
    r"responder (?:request|added|joined)|(?:re)?assigned (?:to|by|the)|escalated (?:to|the)|snoozed|merged|delegated|now on.?call|on.?call (?:shift|schedule|handoff)|"
    r"conference|subscribed|is connected|workflow)\b",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?::[\w+-]{1,40}:|[^\w\[#]){0,8}(?:new incident\b|(?:incident\s)?(?:triggered|acknowledged|resolved|reopened|unacknowledged)\b)[\s:–-]{0,4}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^\W{0,4}(?:incident\s?)?\[?#\d{1,9}\]?[\s:–-]{0,4}", re.IGNORECASE)
_FIRING = re.compile(r"\[(?:FIRING|RESOLVED)\b[^\]\n]{0,40}\]\s?", re.IGNORECASE)
_CIRCLE: tuple[tuple[re.Pattern[str], AlertState], ...] = (
    (re.compile(r":large_green_(?:circle|square):|:green_circle:|🟢"), "resolved"),
    (
        re.compile(r":large_yellow_(?:circle|square):|:yellow_circle:|:large_orange_circle:|🟡|🟠"),
        "acknowledged",
    ),
    (re.compile(r":red_circle:|:large_red_(?:circle|square):|🔴"), "firing"),
)
_VIEW = frozenset(
    {"view", "view incident", "view in pagerduty", "details", "pagerduty", "open", "link"}
)


class _Beside(NamedTuple):
    """What is read beside an incident: path, key of the list, parameters, where its time and its text are."""

    path: str
    kind: str
    params: Mapping[str, str]
    at: str
    text: tuple[str, ...]
    says: str = ""


_BESIDE: Final = (
    _Beside("notes", "notes", {}, "created_at", ("content",)),
    _Beside("alerts", "alerts", {"limit": "25"}, "created_at", ("summary",), "alert"),
    _Beside("log_entries", "log_entries", {"is_overview": "true", "time_zone": "UTC", "limit": "50"}, "created_at", ("summary",)),
    _Beside("related_change_events", "change_events", {"limit": "10"}, "timestamp", ("summary",), "related change"),
    _Beside("past_incidents", "past_incidents", {"limit": "5"}, "at", ("incident", "title"), "similar incident"),
)  # fmt: skip


class Settings(AdapterSettings):
    """Whose PagerDuty it is."""

    token: SecretStr = Field(
        description="REST API key; a read-only one is enough",
        json_schema_extra={"env": "PAGERDUTY_TOKEN"},
    )
    url: str = Field(
        default="https://api.pagerduty.com",
        description="https://api.eu.pagerduty.com for accounts in the EU",
    )
    services: Mapping[str, str] = Field(
        default={}, description="PagerDuty's service id by our service name, where the names differ"
    )
    details: int = Field(
        default=10,
        ge=0,
        le=50,
        description="For how many incidents notes, alerts and on-call people are read too",
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)


class Adapter:
    """Lists incidents and change events."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = Http(
            name,
            settings.url,
            headers={
                "Authorization": SecretStr(f"Token token={settings.token.get_secret_value()}"),
                "Accept": "application/vnd.pagerduty+json;version=2",
                "Content-Type": "application/json",
            },
            advice="check the API key (read-only is enough) and the region: accounts in the EU have another url",
            reset=_reset,
        )

    def incidents(self, query: EventQuery) -> Iterator[Page[Incident]]:
        """List incidents of the asked service, the earliest first, with what is noted on the first ones.

        Raises:
            AdapterError: no answer.
        """
        params = {**_span(query.window), "time_zone": "UTC", "sort_by": "created_at:asc"}
        ids = self._service_ids(query.service)
        if ids is None:
            yield Page((), _unknown(query.service))
            return
        if ids:
            params["service_ids[]"] = ids
        count = 0
        for found, truncated in self._pages("incidents", "incidents", params):
            items: list[Incident] = []
            refused = ""
            for one in found:
                incident = _parse_incident(self.name, one)
                if incident is None or incident.started_at not in query.window:
                    continue
                if count >= query.limit:
                    yield Page(tuple(items), f"Only {query.limit} incidents are shown.")
                    return
                if count < self._settings.details:
                    notes, refusal = self._notes(one)
                    incident = incident.model_copy(update={"notes": notes})
                    refused = refused or refusal
                count += 1
                items.append(incident)
            yield Page(tuple(items), truncated or refused)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List change events, the latest first; raises as `incidents`."""
        ids = self._service_ids(query.service)
        if ids is None:
            yield Page((), _unknown(query.service))
            return
        path = f"services/{ids[0]}/change_events" if len(ids) == 1 else "change_events"
        events: list[Deploy] = []
        truncated = ""
        for found, cut in self._pages(path, "change_events", dict(_span(query.window))):
            parsed = (_parse_change(self.name, one, query.service) for one in found)
            events += [one for one in parsed if one is not None and one.at in query.window]
            truncated = truncated or cut
        events.sort(key=lambda event: (event.at, event.title), reverse=True)
        if len(events) > query.limit:
            truncated = f"Only {query.limit} of {len(events)} change events are shown."
        yield Page(tuple(events[: query.limit]), truncated)

    def check(self) -> Check:
        """Ask for one service."""
        answer = self._http.get("services", {"limit": 1}).json()
        objects(self.name, mapping(self.name, answer, "services").get("services"), "services")
        return Check(ok=True, detail="PagerDuty lists services")

    def _service_ids(self, service: str) -> list[str] | None:
        """PagerDuty's ids of a service, none for every service; None where it has no such service."""
        if not service:
            return []
        if service in self._settings.services:
            return [self._settings.services[service]]
        answer = self._http.get("services", {"query": service, "limit": PAGE}).json()
        body = mapping(self.name, answer, "services")
        found = objects(self.name, body.get("services"), "services")
        wanted = _plain(service)
        ids = [word(one, "id", limit=60) for one in found if wanted in _plain(word(one, "name"))]
        return [one for one in ids if re.fullmatch(r"[A-Za-z0-9]{1,60}", one)] or None

    def _pages(
        self, path: str, key: str, params: Mapping[str, str | list[str]]
    ) -> Iterator[tuple[list[Json], str]]:
        """Pages of a list, with the reason why the last one may not be the last."""
        offset = 0
        seen: set[str] = set()
        while True:
            asked = {**params, "limit": str(PAGE), "offset": str(offset)}
            body = mapping(self.name, self._http.get(path, asked).json(), key)
            found = objects(self.name, body.get(key), key)
            fresh = [one for one in found if word(one, "id") not in seen]
            seen |= {word(one, "id") for one in found}
            offset += PAGE
            more = body.get("more") is True and bool(fresh)
            cut = (
                f"PagerDuty lists no more than {MAX_OFFSET:,}."
                if more and offset >= MAX_OFFSET
                else ""
            )
            yield fresh, cut
            if not more or cut:
                return

    def _notes(self, incident: Json) -> tuple[tuple[str, ...], str]:
        """What people and PagerDuty itself noted, in the order of time, and what was refused."""
        key = word(incident, "id", limit=60)
        if not re.fullmatch(r"[A-Za-z0-9]{1,60}", key):
            return (), ""
        notes: list[tuple[str, str]] = []
        refused = ""
        for beside in _BESIDE:
            try:
                body = self._http.get(f"incidents/{key}/{beside.path}", beside.params).json()
            except AdapterError as error:  # beside the incident itself; some need a higher plan
                refused = refused or f"{beside.path.replace('_', ' ')} of incidents: {error.detail}"
                continue
            found = listed(body.get(beside.kind) if isinstance(body, dict) else None)
            notes += [_parse_note(one, beside) for one in found]
        notes.sort(key=lambda note: note[0])
        return tuple([*self._on_call(incident), *(text for _, text in notes)][:60]), refused

    def _on_call(self, incident: Json) -> Iterator[str]:
        """Who was on call when the incident began."""
        policy, began = (
            word(incident, "escalation_policy", "id"),
            word(incident, "created_at", limit=40),
        )
        if not re.fullmatch(r"[A-Za-z0-9]{1,60}", policy) or not began:
            return
        params: dict[str, str | list[str]] = {
            "escalation_policy_ids[]": [policy],
            "since": began,
            "until": began,
            "time_zone": "UTC",
            "limit": "10",
        }
        try:
            body = self._http.get("oncalls", params).json()
        except AdapterError:  # nice to have
            return
        for one in listed(body.get("oncalls") if isinstance(body, dict) else None):
            who, level = (
                word(one, "user", "summary", limit=200),
                word(one, "escalation_level", limit=4),
            )
            if who:
                yield f"On call at level {level}: {who}"


def _plain(name: str) -> str:
    """Names with case and separators ignored: `Checkout API` holds `checkout-api`."""
    return re.sub(r"[^a-z0-9]+", "", name.casefold())


def _unknown(service: str) -> str:
    return f"It has no service named like {service[:80]!r}; name its id in `services`."


def _span(window: Window) -> dict[str, str | list[str]]:
    """Whole seconds are all that change events take; the window is applied again on our side."""
    until = window.until + timedelta(seconds=1)
    return {"since": f"{window.since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}


def _reset(headers: httpx.Headers, _now: float) -> float | None:
    value = headers.get("ratelimit-reset", "")
    return float(value) if re.fullmatch(r"\d{1,6}", value) else None


def _parse_incident(source: str, one: Json) -> Incident | None:
    began = moment(one.get("created_at"))
    if began is None:
        return None
    rated = severity(word(one, "priority", "summary", limit=60))
    return Incident(
        source=source,
        key=word(one, "id", limit=60),
        title=word(one, "title", limit=1_000) or word(one, "summary", limit=1_000) or "(untitled)",
        state=word(one, "status", limit=60),
        service=word(one, "service", "summary", limit=200),
        severity=rated if rated != "unknown" else severity(word(one, "urgency", limit=60)),
        started_at=began,
        resolved_at=moment(one.get("resolved_at")),
        url=word(one, "html_url", limit=2_000),
    )


def _parse_change(source: str, one: Json, service: str) -> Deploy | None:
    at = moment(one.get("timestamp"))
    if at is None:
        return None
    named = [word(s, "summary", limit=200) for s in listed(one.get("services"))]
    details = inner(one, "custom_details")
    return Deploy(
        source=source,
        service=next(filter(None, named), service),
        version=word(details, "version", limit=200) or word(details, "build_number", limit=200),
        sha=word(details, "sha", limit=64) or word(details, "commit", limit=64),
        title=word(one, "summary", limit=1_000),
        at=at,
        url=next((word(link, "href", limit=2_000) for link in listed(one.get("links"))), ""),
    )


def _parse_note(one: Json, asked: _Beside) -> tuple[str, str]:
    """When something was noted, and what, as a person reads it."""
    when = moment(one.get(asked.at))
    who = word(one, "user", "summary", limit=200) if asked.kind == "notes" else asked.says
    said = f"{who}: " if who else ""
    text = f"{said}{word(one, *asked.text, limit=5_000)}"
    return word(one, asked.at, limit=40), f"{when:%Y-%m-%d %H:%M} UTC: {text}" if when else text


def recognise(message: Message) -> Alert | None:
    """The incident, if PagerDuty posted it; notes, assignments and schedules are no alerts."""
    if message.strength(SIGNS) < 3:
        return None
    link = next((link for link in message.links if _INCIDENT.search(link.url)), None)
    state = _state(message)
    if state is None:
        if link is None or _ACTIVITY.search("\n".join(message.lines[:3])):
            return None
        state = "firing"
    named = link.label if link and link.label.casefold() not in _VIEW else message.title
    title = _title(named) or _title(message.title) or message.value("description", "summary")
    incident = _INCIDENT.search(link.url) if link else None
    return alert(
        message,
        "pagerduty",
        state,
        title or "PagerDuty incident",
        key=incident.group(1) if incident else (identity(title), *targets(message)),
        service=message.value("impacted service", "service"),
        severity=_severity(message),
        url=link.url if link else "",
    )


def _title(text: str) -> str:
    for prefix in (_LEADING, _NUMBER, _LEADING, _FIRING):
        text = prefix.sub("", text)
    return re.sub(r"^(?::[\w+-]{1,40}:\s?){1,3}", "", text).strip(" *:-")


def _state(message: Message) -> AlertState | None:
    """Circle first: the app edits it, while the words below may still tell of the past."""
    head = "\n".join(message.lines[:2])
    for circle, state in _CIRCLE:
        if circle.search(head[:120]):
            return state
    status = message.value("status", "state")
    if status:
        return state_in(status)
    words = _FIRING.sub("", head)
    if re.search(r"\b(?:un-?acknowledged|reopened)\b", words, re.IGNORECASE):
        return "firing"
    if _ACTIVITY.search(words):
        return None
    said = re.search(r"\b(triggered|acknowledged|resolved)\b", words, re.IGNORECASE)
    states: dict[str, AlertState] = {
        "triggered": "firing",
        "acknowledged": "acknowledged",
        "resolved": "resolved",
    }
    return states[said.group(1).casefold()] if said else None


def _severity(message: Message) -> Severity:
    """Priority where the account uses it, else urgency."""
    for name in ("priority", "severity", "urgency"):
        found = severity(message.value(name))
        if found != "unknown":
            return found
    return "unknown"
