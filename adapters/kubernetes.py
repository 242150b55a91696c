"""Kubernetes, reading only: logs of a service's pods, why they ended, events, and rollouts.

Events are forgotten after an hour by default, so an older window shows logs and rollouts only. Plain HTTP and not the
vendor's client: its models refuse answers of servers that are newer or older than it is.

https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, EventQuery, LogQuery
from adapters.kit.entries import Entries, micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http
from adapters.kit.lines import BinaryContentError, Selection, Source, read
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA, Deploy, LogBatch, Page
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import Json, inner, listed, mapping, moment, objects, word

TYPES: Mapping[str, tuple[str, ...]] = {
    "log_sources": ("kubernetes", "k8s"),
    "deploy_sources": ("kubernetes", "k8s"),
}
SCOPES = "A Role with get and list on pods, events, deployments.apps and replicasets.apps, and get on pods/log; no verb that changes anything."
TESTED = "Responses recorded from a real API server 1.36; requests held against Kubernetes' OpenAPI documents; the conformance suite."

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LOG_BYTES: Final = 16 << 20  # of one container
PAGE: Final = "500"
_MAX_PAGES: Final = 40
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_STAMPED: Final = re.compile(rb"(?m)^(\d{4}-\d\d-\d\dT\S{8,24}Z) ")


class Settings(AdapterSettings):
    """Which cluster and namespaces; inside of a cluster, nothing but the namespaces is needed."""

    namespaces: tuple[str, ...] = Field(min_length=1, description="Namespaces to look into")
    url: str = Field(
        default="https://kubernetes.default.svc", description="Address of the API server"
    )
    token: SecretStr | None = Field(default=None, description="Bearer token of a service account")
    token_file: Path = Field(
        default=ACCOUNT / "token", description="File with the token, read again whenever it changes"
    )
    ca_file: Path = Field(
        default=ACCOUNT / "ca.crt", description="The cluster's certificate authority"
    )
    service_labels: tuple[str, ...] = Field(
        default=("app.kubernetes.io/name", "app"),
        description="Labels of pods that name the service; the first that finds pods counts",
    )
    max_pods: int = Field(default=20, ge=1, le=200, description="Of how many pods logs are read")

    @field_validator("namespaces")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _NAME.fullmatch(name):
                msg = f"{name!r} is no name of a namespace"
                raise ValueError(msg)
        return names

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)


class Adapter:
    """Reads one cluster."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._made: tuple[str, Http] | None = None

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read events, ends of containers, and then the logs of pod after pod, each in its order of time.

        Raises:
            AdapterError: no answer, or a namespace that may not be read.
        """
        left = query.limit
        for batch in self._everything(query):
            kept = batch.frame.head(left)
            left -= kept.height
            cut = kept.height < batch.frame.height
            said = "The limit of events was reached; there are more." if cut else batch.truncated
            yield LogBatch(batch.source, kept, batch.url, said, batch.notes)
            if cut:
                return

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List new revisions of deployments, the latest first.

        Raises:
            AdapterError: no answer, or a namespace that may not be read.
        """
        found: list[Deploy] = []
        cuts: list[str] = []
        for namespace in self._settings.namespaces:
            items, cut = self._list(f"apis/apps/v1/namespaces/{namespace}/replicasets", {})
            cuts += [cut] if cut else []
            for item in items:
                deploy = _parse_rollout(self.name, item, self._settings.service_labels)
                wanted = deploy is not None and deploy.at in query.window
                if deploy and wanted and query.service in {"", deploy.service, _owner(item)}:
                    found.append(deploy)
        found.sort(key=lambda one: (one.at, one.title), reverse=True)
        if len(found) > query.limit:
            cuts.insert(0, f"Only {query.limit} of {len(found)} rollouts are shown.")
        yield Page(tuple(found[: query.limit]), cuts[0] if cuts else "")

    def check(self) -> Check:
        """Ask for the version, and for one pod of each namespace."""
        version = mapping(self.name, self._http().get("version").json(), "version")
        missing: list[str] = []
        for namespace in self._settings.namespaces:
            try:
                self._http().get(f"api/v1/namespaces/{namespace}/pods", {"limit": "1"})
            except AdapterError as error:
                if error.reason is not Reason.AUTH:
                    raise
                missing.append(f"list pods in {namespace}")
        git = word(version, "gitVersion", limit=40)
        return Check(
            ok=not missing, detail="the API server answers", version=git, missing=tuple(missing)
        )

    def _everything(self, query: LogQuery) -> Iterator[LogBatch]:
        for namespace in self._settings.namespaces:
            pods, cut = self._pods(namespace, query)
            events, cut_events = self._list(f"api/v1/namespaces/{namespace}/events", {})
            yield from self._happened(query, namespace, pods, events)
            for pod in pods[: self._settings.max_pods]:
                yield from self._pod_logs(query, namespace, pod)
            if len(pods) > self._settings.max_pods:
                cut = f"Logs of {self._settings.max_pods} of {len(pods)} pods were read; see max_pods."
            if cut or cut_events:
                yield LogBatch(
                    self.name, pl.DataFrame(schema=LOG_SCHEMA), truncated=cut or cut_events
                )

    def _pods(self, namespace: str, query: LogQuery) -> tuple[list[Json], str]:
        path = f"api/v1/namespaces/{namespace}/pods"
        if query.selector:
            return self._list(path, {"labelSelector": self._equalities(query.selector)})
        if not query.service:
            return self._list(path, {})
        pods: list[Json] = []
        cut = ""
        for label in self._settings.service_labels:
            if _LABEL_VALUE.fullmatch(query.service) and not pods:
                pods, cut = self._list(path, {"labelSelector": f"{label}={query.service}"})
        return pods, cut

    def _equalities(self, selector: Mapping[str, str]) -> str:
        for name, value in selector.items():
            if not re.fullmatch(r"[A-Za-z0-9./_-]{1,300}", name) or not _LABEL_VALUE.fullmatch(
                value
            ):
                raise AdapterError(
                    self.name,
                    Reason.BAD_REQUEST,
                    f"{name[:60]!r} in the selector is no label with a value",
                )
        return ",".join(f"{name}={value}" for name, value in sorted(selector.items()))

    def _list(self, path: str, params: Mapping[str, str]) -> tuple[list[Json], str]:
        found: list[Json] = []
        following = ""
        for _ in range(_MAX_PAGES):
            asked = {**params, "limit": PAGE, **({"continue": following} if following else {})}
            try:
                answer = mapping(self.name, self._http().get(path, asked).json(), "items")
            except AdapterError as error:
                if (
                    following and error.reason is Reason.NOT_FOUND
                ):  # 410: the list is too old to go on with
                    return found, "The list changed while it was read; a part is missing."
                raise
            found += objects(
                self.name, answer.get("items") or [] if "items" in answer else None, "items"
            )
            following = word(answer, "metadata", "continue", limit=4_000)
            if not following:
                return found, ""
        return found, f"Only {len(found):,} objects were read."

    def _happened(
        self, query: LogQuery, namespace: str, pods: list[Json], events: list[Json]
    ) -> Iterator[LogBatch]:
        """Events of the service's objects and the ends of its containers, as log events in the order of time."""
        entries = Entries(
            self.name, query.model_copy(update={"limit": 1 << 40}), service=query.service
        )
        names = {word(pod, "metadata", "name", limit=300) for pod in pods}
        happened: list[tuple[datetime, str, str, str]] = []
        for event in events:
            name = word(event, "involvedObject", "name", limit=300)
            of_service = not query.service or name in names or name.startswith(query.service)
            at = _last_seen(event)
            if at and of_service:
                kind = word(event, "involvedObject", "kind", limit=60)
                count = word(event, "series", "count", limit=9) or word(event, "count", limit=9)
                times = f" ({count} times)" if count not in {"", "0", "1"} else ""
                said = f"{word(event, 'reason', limit=200)}: {word(event, 'message', limit=5_000)}{times}"
                level = "warn" if word(event, "type") == "Warning" else "info"
                happened.append((at, f"{kind} {name} {said}", level, name))
        happened += [end for pod in pods for end in _ends(pod)]
        for at, text, level, host in sorted(happened):
            if all(one in text for one in query.contains):
                entries.add(text, micros(at), level=level, host=host, origin=f"{namespace}/events")
        yield from entries.rest()

    def _pod_logs(self, query: LogQuery, namespace: str, pod: Json) -> Iterator[LogBatch]:
        name = word(pod, "metadata", "name", limit=300)
        if not _NAME.fullmatch(name):
            return
        for status in listed(inner(pod, "status").get("containerStatuses")):
            container = word(status, "name", limit=300)
            if not _NAME.fullmatch(container):
                continue
            ended = moment(inner(status, "lastState", "terminated").get("finishedAt"))
            again = ("true",) if ended and ended >= query.window.since else ()
            for previous in (*again, "false"):
                yield from self._container_log(query, f"{namespace}/{name}", container, previous)

    def _container_log(
        self, query: LogQuery, pod: str, container: str, previous: str
    ) -> Iterator[LogBatch]:
        namespace, _, name = pod.partition("/")
        params = {
            "container": container,
            "previous": previous,
            "timestamps": "true",
            "sinceTime": f"{query.window.since:%Y-%m-%dT%H:%M:%SZ}",
            "limitBytes": str(LOG_BYTES),
        }
        origin = f"{pod}/{container}"
        try:
            path = f"api/v1/namespaces/{namespace}/pods/{name}/log"
            content = self._http().get(path, params).content
        except AdapterError as error:  # one pod that is gone costs only its own lines
            empty = pl.DataFrame(schema=LOG_SCHEMA)
            yield LogBatch(self.name, empty, notes=(f"{origin}: {error.detail}.",))
            return
        source = Source(
            self.name, Calendar(query.window.until, "UTC"), origin, query.service or container
        )
        wanted = Selection(query.model_copy(update={"selector": {}}))
        cut = (
            f"{origin}: only the first {LOG_BYTES >> 20} MiB were read."
            if len(content) >= LOG_BYTES
            else ""
        )
        try:
            for batch in read([_as_cri(content)], source, first_line=None):
                frame = wanted.apply(batch.frame)
                if not frame.is_empty():
                    host = pl.col("host").fill_null(name)
                    yield LogBatch(
                        self.name, frame.with_columns(host), notes=batch.notes, truncated=cut
                    )
        except BinaryContentError:
            yield LogBatch(
                self.name, pl.DataFrame(schema=LOG_SCHEMA), notes=(f"{origin}: is no text.",)
            )

    def _http(self) -> Http:
        """The transport; a new one when the token was exchanged, which the kubelet does every hour."""
        token = self._settings.token.get_secret_value() if self._settings.token else ""
        if not token:
            try:
                token = self._settings.token_file.read_text().strip()
            except OSError:
                raise AdapterError(
                    self.name,
                    Reason.AUTH,
                    "there is no token: set `token`, or `token_file`, or run in the cluster",
                ) from None
        if self._made is None or self._made[0] != token:
            ca_file = self._settings.ca_file
            http = Http(
                self.name,
                self._settings.url,
                headers={"Authorization": SecretStr(f"Bearer {token}")},
                verify=str(ca_file) if ca_file.is_file() else True,
                advice="grant get and list on pods, events, deployments and replicasets, and get on pods/log",
            )
            self._made = (token, http)
        return self._made[1]


def _as_cri(content: bytes) -> bytes:
    """The API's `time text` as a container runtime's `time stdout F text`, so that stack traces are joined."""
    return _STAMPED.sub(rb"\1 stdout F ", content)


def _last_seen(event: Json) -> datetime | None:
    return (
        moment(inner(event, "series").get("lastObservedTime"))
        or moment(event.get("lastTimestamp"))
        or moment(event.get("eventTime"))
        or moment(inner(event, "metadata").get("creationTimestamp"))
    )


def _ends(pod: Json) -> Iterator[tuple[datetime, str, str, str]]:
    """Why containers of a pod ended, as far as the pod still knows."""
    name = word(pod, "metadata", "name", limit=300)
    for status in listed(inner(pod, "status").get("containerStatuses")):
        for state in ("lastState", "state"):
            end = inner(status, state, "terminated")
            at = moment(end.get("finishedAt"))
            if at is None:
                continue
            code = word(end, "exitCode", limit=6)
            reason = word(end, "reason", limit=200)
            restarts = word(status, "restartCount", limit=9)
            text = (
                f"container {word(status, 'name', limit=300)} of pod {name} terminated: {reason}"
                f" (exit code {code}, {restarts} restarts)"
            )
            yield at, text, "info" if code == "0" else "error", name


def _owner(item: Json) -> str:
    owners = listed(inner(item, "metadata").get("ownerReferences"))
    return next((word(o, "name", limit=300) for o in owners if word(o, "kind") == "Deployment"), "")


def _parse_rollout(source: str, item: Json, labels: tuple[str, ...]) -> Deploy | None:
    """A ReplicaSet of a Deployment is a revision of it, and was made when that was rolled out first."""
    owner, meta = _owner(item), inner(item, "metadata")
    at = moment(meta.get("creationTimestamp"))
    if at is None or not owner:
        return None
    notes, own = inner(meta, "annotations"), inner(meta, "labels")
    spec = inner(item, "spec", "template", "spec")
    images = [word(one, "image", limit=400) for one in listed(spec.get("containers"))]
    revision = word(notes, "deployment.kubernetes.io/revision", limit=20)
    cause = word(notes, "kubernetes.io/change-cause", limit=400)
    return Deploy(
        source=source,
        service=next(filter(None, (word(own, label, limit=200) for label in labels)), owner),
        environment=word(meta, "namespace", limit=200),
        version=_tag(images[0]) if images else "",
        title=cause or f"{owner} revision {revision}: {', '.join(images)}",
        at=at,
    )


def _tag(image: str) -> str:
    """`registry:5000/team/app:1.2@sha256:..` has the tag 1.2; without a tag, the digest tells versions apart."""
    bare, _, digest = image.partition("@")
    _, colon, tag = bare.rpartition("/")[2].partition(":")
    return tag if colon else digest
