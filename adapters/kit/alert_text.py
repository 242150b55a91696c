"""Words that monitoring tools share: severities, tests, digests, labels; and the record built from them.

Recognisers of the vendor files say what is special about a vendor; what is the same everywhere is here.
All patterns are linear in the length of the text, because anyone who can write a log line writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypedDict, Unpack

from adapters.kit.alert_identity import fingerprint, identity, targets
from adapters.kit.alert_times import started
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message

_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(
        ("critical", "crit", "fatal", "disaster", "emergency", "emerg", "blocker", "page", "p0", "p1", "sev0",
         "sev1", "sev-0", "sev-1", "s1", "severe", "highest", "catastrophic"),
        "critical",
    ),
    **dict.fromkeys(
        ("error", "err", "high", "major", "p2", "sev2", "sev-2", "s2", "urgent", "danger", "failure"), "error"
    ),
    **dict.fromkeys(
        ("warning", "warn", "medium", "moderate", "average", "minor", "p3", "sev3", "sev-3", "s3", "ticket",
         "unknown_host", "degraded"),
        "warning",
    ),
    **dict.fromkeys(
        ("info", "information", "informational", "notice", "low", "lowest", "p4", "p5", "sev4", "sev5", "sev-4",
         "none", "debug", "not classified", "verbose"),
        "info",
    ),
}  # fmt: skip
_SEVERITY_FIELDS = (
    "severity",
    "alert severity",
    "severity level",
    "priority",
    "level",
    "sev",
    "urgency",
    "criticality",
)
_SERVICE_FIELDS = (
    "service", "service name", "servicename", "service.name", "app", "application", "app name",
    "app.kubernetes.io/name", "k8s-app", "component", "deployment", "statefulset", "daemonset", "impacted service",
    "affected service", "job name",
)  # fmt: skip
EXPORTER = re.compile(
    r"exporter\b|kube-state-metrics|^kubelet$|^node$|prometheus|alertmanager|cadvisor",
    re.IGNORECASE,
)
"""Jobs and services that measure others; an alert that names them is not about them."""

_RUNBOOK = re.compile(r"runbook|playbook|/wiki/|troubleshoot", re.IGNORECASE)
_DASHBOARD = re.compile(r"dashboard|/d/|/d-solo/|panel|/graph\?", re.IGNORECASE)
_SILENCE = re.compile(r"silence|mute|snooze", re.IGNORECASE)
_TEST = re.compile(
    r"^\W{0,4}test(?:ing)?(?:\s?[\]:!–-]|$)|\b(?:this is (?:only )?a test|test (?:alert|notification|message|event|incident|page)s?\b"
    r"|testalert|test-alert|sample (?:alert|notification|event)|example alert|alertmanager test|notification test|should always be firing)",
    re.IGNORECASE,
)
_WATCHDOG = re.compile(r"(?:\[[^\]\n]{1,40}\]\s?)?(?:Watchdog|DeadMansSwitch|InfoInhibitor)\b")
_MENTION = re.compile(r"@(?:here|channel|everyone)\b")
_TRAILING_MARKS = re.compile(r"(?:\s:[\w+-]{1,40}:){1,5}$")
_LEADING_MARKS = re.compile(r"^(?::[\w+-]{1,40}:\s?|[^\w\[\](){}<>\"'#/.\s-]\s?)+")
_DIGEST = re.compile(
    r"\b(?:recap|digest|(?:daily|weekly|monthly|hourly|nightly|morning|quarterly)\s(?:[\w-]{1,20}\s){0,2}(?:report|summary|stats|update|"
    r"overview|roundup|review|numbers|metrics|usage)|(?:report|summary|stats|overview)\s(?:for|of)\s(?:the\s)?(?:last|past|this|week|day|month|"
    r"yesterday|today)|(?:weekly|daily|monthly)\sreport|handover|hand-?off|handoff|on-?call (?:shift|schedule|rotation|change|reminder|summary)"
    r"|(?:is|are) now on.?call|stand-?up|retrospective|newsletter|release notes|changelog|post-?mortem|scorecard|leaderboard|"
    r"last (?:24 ?h|7 ?d(?:ays)?|24 hours|week|month)\W{0,3}$|(?:alert|incident|error) (?:summary|report|statistics)\b)",
    re.IGNORECASE,
)
_DIGEST_START = re.compile(
    r"\W{0,4}(?::[\w+-]{1,40}:\s?)?\W{0,4}(?:error recap|(?:your |the )?(?:daily|weekly|monthly|nightly|morning)\s(?:[\w-]{1,20}\s){0,2}(?:report|summary|digest|recap|stats|update|overview|review|numbers)\b(?!\s(?:job|generation|task|pipeline|export))|recap|digest|summary of|handover)",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"\b(?:failed|failing|fails|failure|is down|firing|triggered|critical:)\b|🔥|🚨|:fire:|:rotating_light:",
    re.IGNORECASE,
)
_EMOJI = re.compile(r":[a-z0-9_+'-]{1,50}:")


def severity(text: str) -> Severity:
    """A vendor's severity, priority or level as one of ours; `unknown` where it is none of the known words."""
    words = _EMOJI.sub(" ", text).casefold().strip(" *`[](){}.!\t")
    if words in _SEVERITIES:
        return _SEVERITIES[words]
    for word in re.split(r"[\s/,|()\[\]:]+", words[:200]):
        if word in _SEVERITIES:
            return _SEVERITIES[word]
    return "unknown"


def stated_severity(message: Message, *names: str) -> Severity:
    """The severity that a field of the message names."""
    for name in (*names, *_SEVERITY_FIELDS):
        found = severity(message.fields.get(name, ""))
        if found != "unknown":
            return found
    return "unknown"


def severity_in(title: str) -> Severity:
    """The severity that stands as a word of its own, or as `[P2]`, in a headline."""
    for word in re.findall(r"[A-Za-z][\w-]{0,20}", title[:400]):
        low = word.casefold()
        if low in _SEVERITIES and low not in {
            "none",
            "high",
            "low",
            "page",
            "debug",
            "medium",
            "average",
            "failure",
            "ticket",
            "error",
            "degraded",
        }:
            return _SEVERITIES[low]
    return "unknown"


def is_test(message: Message) -> bool:
    """Whether nothing is wrong: somebody tries the notification out, or a watchdog shows that alerting works."""
    heads = [
        message.text[:300],
        *(title.label[:300] for title in message.titles),
        message.body[:400],
    ]
    if any(_WATCHDOG.match(title.label) for title in message.titles):
        return True
    return any(_TEST.search(_EMOJI.sub("", head).replace("+", " ")) for head in heads)


def is_digest(message: Message) -> bool:
    """Whether it looks back at many things (recap, weekly report, hand-over) instead of telling one new thing."""
    heads = [title.label[:200] for title in message.titles[:2]]
    if any(_DIGEST_START.match(head) for head in heads):
        return True
    return any(_DIGEST.search(head) and not _BAD.search(head) for head in heads)


def service(message: Message, labels: Mapping[str, str] | None = None) -> str:
    """The service that a label or field names, or an empty text."""
    known = {key.replace("_", " ").casefold(): value for key, value in (labels or {}).items()}
    for name in _SERVICE_FIELDS:
        value = known.get(name) or message.fields.get(name, "")
        if value and len(value) <= 100 and "\n" not in value and not EXPORTER.search(value):
            return value.split(" (")[0].strip(" `*,")
    return ""


def labels(message: Message) -> dict[str, str]:
    """What the vendor attached as `name: value`, short values only; links are not labels."""
    found: dict[str, str] = {}
    for name, value in message.pairs:
        key, shown = name.strip(), _EMOJI.sub("", value).strip()
        if (
            len(found) >= 60
            or len(value) > 300
            or "\n" in value
            or "://" in value
            or len(key.split()) > 3
        ):
            continue
        found.setdefault(key, shown)
    return found


def links(message: Message, url: str) -> dict[str, str]:
    """Where to click: the alert itself as `alert`, then runbook, dashboard, silence and the rest by their words."""
    found: dict[str, str] = {"alert": url} if url else {}
    for link in message.links:
        words = f"{link.label} {link.url}"
        kind = next(
            (
                name
                for name, sign in (
                    ("runbook", _RUNBOOK),
                    ("silence", _SILENCE),
                    ("dashboard", _DASHBOARD),
                )
                if sign.search(words)
            ),
            "",
        )
        name = (
            kind
            if kind and kind not in found
            else _EMOJI.sub("", link.label).strip(" []").casefold()[:60]
        )
        if link.url not in found.values() and len(found) < 12:
            found.setdefault(name or f"link {len(found) + 1}", link.url)
    return found


def shown_title(title: str) -> str:
    """A headline without the emoji and mentions around it."""
    bare = _MENTION.sub(" ", title)
    for marks in (_LEADING_MARKS, _TRAILING_MARKS):
        bare = marks.sub("", bare.strip())
    return " ".join(bare.split())[:500] or "(untitled alert)"


class Known(TypedDict, total=False):
    """What a vendor's recogniser knows better than the common reading of the message."""

    key: str | Iterable[str]
    service: str
    severity: Severity
    started_at: datetime | None
    url: str
    labels: Mapping[str, str]


def alert(
    message: Message, source: str, state: AlertState, title: str, **known: Unpack[Known]
) -> Alert:
    """Build the record from what the vendor's recogniser knows; the rest is read from the message.

    Args:
        message: what was posted.
        source: the vendor.
        state: as the vendor says.
        title: headline without status words.
        known: see `Known`; `key` is what identifies the alert on its target, by default the headline's
            identity with the targets that the message names.
    """
    shown = dict(known.get("labels") or labels(message))
    url = known.get("url") or (message.titles[0].url if message.titles else "")
    rated = known.get("severity", "unknown")
    if rated == "unknown":
        rated = stated_severity(message)
    if rated == "unknown":
        rated = severity_in(title)
    key = known.get("key")
    parts = (identity(title), targets(message)) if key is None else (key,)
    return Alert(
        source=source,
        state=state,
        title=shown_title(title),
        service=known.get("service") or service(message, shown),
        severity=rated,
        fingerprint=fingerprint(source, *parts),
        started_at=known["started_at"] if "started_at" in known else started(message),
        labels=shown,
        links=links(message, url),
        text=message.body,
        url=url,
    )


_GOOD_EMOJI = re.compile(
    r"^\W{0,8}(?:✅|☑|🟢|💚|✔|:(?:white_check_mark|heavy_check_mark|large_green_circle|green_circle|ballot_box_with_check|large_green_square"
    r"|green_heart|tada|green_check|check|ok|checkered_flag|sunny|thumbsup|\+1|resolved|recovered|party[\w-]{0,20}|ok_hand):)"
)
_ACK_EMOJI = re.compile(
    r"^\W{0,8}(?:🟡|👀|:(?:large_yellow_circle|yellow_circle|large_yellow_square|eyes):)"
)
BAD_EMOJI = re.compile(
    r"^\W{0,8}(?:🔴|🚨|🔥|❌|🛑|⛔|💥|🆘|🟥|☠|❗|‼|:(?:red_circle|rotating_light|fire|x|octagonal_sign|no_entry|no_entry_sign|boom|sos|bangbang"
    r"|large_red_square|exclamation|heavy_exclamation_mark|skull|skull_and_crossbones|alert|alarm|siren|police_car_light|red_alert|bell"
    r"|negative_squared_cross_mark|broken_heart|large_red_circle|fire_engine|firing|collision|stop_sign|critical):)"
)
_RESOLVED = re.compile(
    r"(?<!not )(?<!un)\b(?:resolved|recovered|recovery|back to normal|returned to normal|back up|back online|is up|came back|no longer|"
    r"cleared|has ended|incident ended|alert ended|is healthy again|auto-?closed|closed|is operational|fixed|all clear|up again|is now up|is now ok)\b"
    r"|\bstatus\W{1,3}(?:up|ok|healthy|normal)\b|^\W{0,6}(?:ok|up|okay|normal|healthy)\b(?!\w)|\bback to (?:ok|green|healthy)\b",
    re.IGNORECASE,
)
_ACKNOWLEDGED = re.compile(
    r"(?<!un)(?<!not )\b(?:acknowledged|acked|acknowledgement|ack'd)\b", re.IGNORECASE
)
_FIRING = re.compile(
    r"\b(?:firing|triggered|alerting|is down|went down|down|in alarm|alarm|problem|outage|unhealthy|degraded|breached|violated|exceeded|opened)\b",
    re.IGNORECASE,
)


def state_in(text: str) -> AlertState | None:
    """The state that a headline tells by its leading emoji, else by its words; None where it tells none."""
    head = text[:400]
    if _GOOD_EMOJI.search(head) or _RESOLVED.search(head):
        return "resolved"
    if _ACK_EMOJI.search(head) or _ACKNOWLEDGED.search(head):
        return "acknowledged"
    return "firing" if BAD_EMOJI.search(head) or _FIRING.search(head) else None
