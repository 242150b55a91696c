"""What makes two notifications the same alert: the rule and the target resource, not counts, times or values.

All patterns are linear in the length of the text, because anyone who can write a log line writes it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import pairwise

from adapters.kit.slack_message import Message

_TARGET_FIELDS = frozenset(
    {
        "instance", "instances", "host", "hosts", "hostname", "node", "nodename", "pod", "pod name", "container",
        "namespace", "cluster", "service", "service name", "app", "application", "component", "deployment",
        "statefulset", "daemonset", "job", "device", "mountpoint", "database", "db", "queue", "topic", "consumergroup",
        "url", "endpoint", "server", "resource", "resource name", "target", "targets", "monitor", "check", "region",
        "env", "environment", "instanceid", "dbinstanceidentifier", "functionname", "loadbalancer", "targetgroup",
        "queuename", "tablename", "clustername", "servicename", "affected resource", "affected entity", "entity",
        "impacted entity", "impacted entities", "affected", "project", "site", "persistentvolumeclaim", "partition",
        "domain", "address", "ip", "location", "repository", "workflow", "branch", "dimensions", "condition name",
        "task", "dag", "pipeline", "rule", "alertname", "alert name", "alert", "trigger", "monitor name", "check name", "function",
        "table", "stream", "consumer group", "group", "test", "stage", "provider", "store", "tenant", "customer", "shard", "broker",
    }
)  # fmt: skip
_EMOJI = re.compile(r":[a-z0-9_+'-]{1,50}:")
_TIMES = re.compile(
    r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ,]{1,2}\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:\s?[ap]m)?\b",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"[<>=≥≤~±×x+$€#-]{0,3}\d[\d.,]*(?:/\d[\d.,]*)?(?:e[+-]?\d{1,3})?(?:%|‰|ns|us|µs|ms|s|sec|secs|m|min|mins|h|hr|hrs|d|w|b|kb|mb|gb|tb|kib|mib|gib|tib"
    r"|k|g|t|/s|/m|/min|/sec|rps|qps|req/s|bps|kbps|mbps|gbps|bytes|msg|st|nd|rd|th)?[.,;]?",
    re.IGNORECASE,
)
_HTTP_STATUSES = frozenset(
    {
        "400", "401", "403", "404", "408", "409", "410", "413", "422", "423", "429", "499", "500", "501", "502", "503",
        "504", "520",
    }
)  # fmt: skip
_NUMBERED = frozenset(
    {
        "http", "status", "code", "error", "shard", "port", "partition", "zone", "cpu", "core", "disk", "node",
        "replica", "rack", "channel", "bucket", "queue", "lane", "site", "team", "tier", "table",
    }
)  # fmt: skip
_NOISE = frozenset(
    {
        "is", "are", "was", "were", "has", "have", "had", "been", "be", "being", "the", "a", "an", "of", "to", "now",
        "back", "again", "alert", "alerts", "alerting", "alarm", "alarms", "firing", "fired", "fires", "triggered",
        "trigger", "triggering", "re-triggered", "retriggered", "renotify", "renotified", "resolved", "resolve",
        "recovered", "recovery", "recovering", "recover", "cleared", "closed", "close", "ok", "okay", "up", "down",
        "healthy", "unhealthy", "normal", "normalized", "acknowledged", "acknowledge", "ack", "acked", "open",
        "opened", "new", "ongoing", "still", "problem", "incident", "critical", "warning", "warn", "error", "info",
        "high-priority", "crit", "fatal", "severity", "priority", "p0", "p1", "p2", "p3", "p4", "p5", "sev0", "sev1",
        "sev2", "sev3", "sev4", "state", "status", "changed", "changes", "from", "for", "in", "on", "at", "by",
        "with", "since", "after", "and", "or", "no", "data", "nodata", "fixed", "passed", "passing", "succeeded",
        "success", "failed", "failing", "failure", "fail", "started", "ended", "begins", "notification", "update",
        "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "ago", "insufficient_data",
        "monitor", "test", "available", "unavailable", "reachable", "unreachable", "returned", "went", "goes",
    }
)  # fmt: skip
_THINGS = frozenset(
    {
        "line", "lines", "event", "events", "time", "times", "occurrence", "occurrences", "request", "requests", "result", "results",
        "item", "items", "user", "users", "message", "messages", "job", "jobs", "pod", "pods", "host", "hosts", "instance", "instances",
        "retries", "datapoint", "datapoints", "percent", "location", "locations", "row", "rows",
    }
)  # fmt: skip
_COUNTED = _THINGS | {"error", "errors", "failure", "failures"}
_WORD_EDGES = " \t\"'`()[]{}<>,;!?*_~|•·–—-=:.✅❌🔥🚨⚠🔴🟢🟡🟠🔵🛑📈📉🆘💥☠🎉👍⛔❗❕"
_RESOURCE = re.compile(r"(?=[\w.:/-]{2,120}$)(?=.*[\d./_-])[\w][\w.:/-]*[\w/]", re.ASCII)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?")
_HOST = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[a-z0-9.-]*\d)[a-z][a-z0-9]{0,40}(?:[.-][a-z0-9]{1,40}){1,10}|[a-z]{2,20}\d{1,4}"
    r"|[a-z][a-z0-9-]{0,60}(?:\.[a-z0-9-]{1,60}){2,8})(?::\d{2,5})?",
    re.ASCII,
)
_NOT_HOSTS = re.compile(
    r"[ps]\d+|http\d?|ec2|s3|k8s|v\d.*|sha\d*|utf-?8|[0-9a-f]{8}-[0-9a-f]{4}-.*|[0-9a-f]{12,}",
    re.ASCII,
)
_ON = re.compile(
    r"\b(?:on|host|hostname|instance|node|server|pod|container|service|cluster|namespace|database|queue|device|for|at|url|endpoint|job)\b"
    r"[\s:=]{1,3}[`'\"(]?([\w][\w.:/-]{1,120})",
    re.IGNORECASE | re.ASCII,
)


def identity(text: str, *, keep_words: bool = False) -> str:
    """A headline without what changes from one notification of the same alert to the next.

    Status and severity words (unless `keep_words`), emoji, times, counts and measured values go; names that hold
    digits (`web-01`, `10.0.0.1`, `p99`) and HTTP status codes stay.
    """
    words = [
        raw.strip(_WORD_EDGES)
        for raw in _TIMES.sub(" ", _EMOJI.sub(" ", text[:1000])).casefold().split()
    ]
    kept: list[str] = []
    previous, counted = "", False
    for word, following in pairwise([*words, ""]):
        measured = bool(word) and _measured(word, previous, following)
        noise = not keep_words and word in _NOISE
        if word and not measured and not noise and not (counted and word in _COUNTED):
            kept.append(word)
        previous, counted = word, measured
    return " ".join(kept)


def _measured(word: str, previous: str = "", following: str = "") -> bool:
    """A count or a measured value; an address or a HTTP status that counts nothing is a name."""
    if _ADDRESS.fullmatch(word) or (word in _HTTP_STATUSES and following not in _THINGS):
        return False
    return _VALUE.fullmatch(word) is not None and previous not in _NUMBERED


def targets(message: Message) -> tuple[str, ...]:
    """The resources that the message names: from its labels, else from what its first lines are about."""
    labelled = labelled_targets(message)
    if labelled:
        return labelled
    for line in (message.title, *message.lines[:5]):
        found = _named_in(_EMOJI.sub(" ", _TIMES.sub(" ", line[:400])))
        if found:
            return found
    return ()


def labelled_targets(message: Message) -> tuple[str, ...]:
    """The resources that labels and fields of the message name."""
    found = {
        f"{name.casefold()}={value.casefold()}"
        for name, value in message.pairs
        if _names_target(name, value)
    }
    return tuple(sorted(found))[:40]


def _names_target(name: str, value: str) -> bool:
    known = " ".join(name.replace("_", " ").casefold().split()) in _TARGET_FIELDS
    return known and len(value) <= 200


def _named_in(line: str) -> tuple[str, ...]:
    """What a line says it is "on", and the hosts that it names."""
    named = [word.casefold().rstrip(".:/") for word in _ON.findall(line)]
    found = {word for word in named if _RESOURCE.fullmatch(word) and not _measured(word)}
    for raw in line.casefold().split():
        word = raw.strip(_WORD_EDGES)
        if _HOST.fullmatch(word) and not _NOT_HOSTS.fullmatch(word):
            found.add(word)
    return tuple(sorted(found))


def fingerprint(source: str, *parts: str | Iterable[str]) -> str:
    """A short stable hash of what identifies an alert: the source, its rule and the target resource."""
    flat = [part if isinstance(part, str) else "\x1e".join(part) for part in parts]
    joined = "\x1f".join((source, *flat)).encode("utf-8", "replace")
    return hashlib.sha256(joined).hexdigest()[:32]
