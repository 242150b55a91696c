"""What CloudWatch answers: log events, and metrics that the operator names.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from adapters.cloudwatch.connection import Access, told
from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, LogQuery, MetricQuery
from adapters.kit.entries import Entries, micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, MetricSeries, Page, Point, Window
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import word

_GROUP: Final = re.compile(r"[A-Za-z0-9_./#-]{1,512}")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_.#-]{1,200}")


class Metric(BaseModel):
    """One metric; `$service` in a dimension stands for the service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    metric: str
    stat: str = "Average"
    dimensions: Mapping[str, str] = {}
    unit: str = ""


DEFAULTS: Final = {
    "lambda_errors": Metric(
        namespace="AWS/Lambda", metric="Errors", stat="Sum", dimensions={"FunctionName": "$service"}
    ),
    "lambda_duration_p95": Metric(
        namespace="AWS/Lambda",
        metric="Duration",
        stat="p95",
        dimensions={"FunctionName": "$service"},
        unit="ms",
    ),
}


class Settings(AdapterSettings):
    """Which region, and what of it."""

    region: str = Field(
        pattern=r"^[a-z0-9-]{5,30}$",
        description="For example eu-central-1",
        json_schema_extra={"env": "AWS_REGION"},
    )
    log_groups: tuple[str, ...] = Field(
        default=("/aws/lambda/{service}",),
        description="Log groups; {service} stands for the service, for example /ecs/{service}",
    )
    metrics: Mapping[str, Metric] = Field(
        default=DEFAULTS, description="Metrics by name: namespace, metric, stat, dimensions, unit"
    )
    role_arn: str = Field(default="", description="Role to take on before asking")
    access_key_id: str = Field(
        default="", description="Only where AWS's own ways to credentials do not do"
    )
    secret_access_key: SecretStr | None = Field(default=None, description="Beside access_key_id")
    url: str = Field(
        default="", description="Endpoint instead of AWS's own: a VPC endpoint or LocalStack"
    )
    max_pages: int = Field(default=500, ge=1, description="Of a log group per question")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value) if value else value

    @field_validator("log_groups")
    @classmethod
    def _groups(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        for group in groups:
            if not _GROUP.fullmatch(group.replace("{service}", "x")):
                msg = f"{group!r} is no name of a log group"
                raise ValueError(msg)
        return groups


class Adapter:
    """Reads log groups and metrics of one region."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._access = Access(
            settings.region,
            settings.url,
            settings.role_arn,
            settings.access_key_id,
            settings.secret_access_key,
        )
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read group after group, each in the order of time.

        Raises:
            AdapterError: no answer, no such group, or a service that cannot be part of a group's name.
        """
        groups = self._groups(query)
        if not groups:
            message = "Its log groups are named after services, and the question names none."
            yield from Entries(self.name, query).rest(message)
            return
        left = query.limit
        for group in groups:
            asked = query.model_copy(update={"limit": left})
            for batch in self._group(group, asked):
                left -= len(batch)
                yield batch
                if batch.truncated and left <= 0:
                    return

    def metrics(self, query: MetricQuery) -> Iterator[Page[MetricSeries]]:
        """Read the configured metrics, all in one page or more.

        Raises:
            AdapterError: no answer.
        """
        wanted = {
            name: metric
            for name, metric in self._settings.metrics.items()
            if (not query.names or name in query.names)
            and (query.service or "$service" not in "".join(metric.dimensions.values()))
        }
        if not wanted:
            yield Page((), "None of its metrics can be read without a service.")
            return
        period = max(60, math.ceil(query.step_s / 60) * 60)
        names = dict(zip((f"m{n}" for n in range(len(wanted))), wanted, strict=True))
        found: dict[str, list[Point]] = {name: [] for name in wanted}
        partial = ""
        for result in self._results(wanted, names, query, period):
            name = names.get(str(result.get("Id")), "")
            if result.get("StatusCode") not in {"Complete", "PartialData", None}:
                partial = f"The metric {name} was not answered."
            pairs = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False)
            found.setdefault(name, []).extend(Point(at=at, value=value) for at, value in pairs)
        yield Page(tuple(self._series(wanted, found, query)), partial, total_pages=1)

    def check(self) -> Check:
        """Ask for one log group."""
        with told(self.name):
            self._client("logs").describe_log_groups(limit=1)
        return Check(ok=True, detail=f"CloudWatch of {self._settings.region} lists log groups")

    def _client(self, service: str) -> Any:  # noqa: ANN401 - the library is not typed
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._access.client(self.name, service)
            return self._clients[service]

    def _groups(self, query: LogQuery) -> list[str]:
        unknown = sorted(set(query.selector) - {"log_group", "log_stream_prefix"})
        if unknown:
            raise AdapterError(
                self.name,
                Reason.BAD_REQUEST,
                f"the selector names {unknown[0][:60]}; it may name log_group and log_stream_prefix",
            )
        named = query.selector.get("log_group")
        if query.service and not named and not _FOLDER.fullmatch(query.service):
            raise AdapterError(
                self.name, Reason.BAD_REQUEST, "the service's name cannot be that of a log group"
            )
        groups = (named,) if named else self._settings.log_groups
        if not query.service:
            groups = tuple(group for group in groups if "{service}" not in group)
        return [group.replace("{service}", query.service) for group in groups]

    def _group(self, group: str, query: LogQuery) -> Iterator[LogBatch]:
        service = query.service or group.rsplit("/", 1)[-1]
        entries = Entries(self.name, query, url=self._link(group, query.window), service=service)
        asked: dict[str, object] = {
            "logGroupName": group,
            "startTime": micros(query.window.since) // 1000,
            "endTime": math.ceil(micros(query.window.until) / 1000),
        }
        if pattern := filter_pattern(query.contains):
            asked["filterPattern"] = pattern
        if prefix := query.selector.get("log_stream_prefix"):
            asked["logStreamNamePrefix"] = prefix
        client = self._client("logs")
        for _ in range(self._settings.max_pages):
            with told(self.name):
                answer = client.filter_log_events(**asked)
            if "events" not in answer and "nextToken" not in answer:
                raise AdapterError(self.name, Reason.BAD_RESPONSE, "answered without events")
            for event in answer.get("events", ()):
                text = str(event.get("message", ""))
                if all(one in text for one in query.contains):
                    origin = f"{group}/{word(event, 'logStreamName', limit=500)}"
                    entries.add(
                        text.rstrip("\n"), int(event.get("timestamp", 0)) * 1000, origin=origin
                    )
            yield from entries.ready()
            following = answer.get("nextToken")
            if entries.full:
                return
            if not following or following == asked.get("nextToken"):
                yield from entries.rest()
                return
            asked["nextToken"] = following  # a page may be empty and not the last
        yield from entries.rest(
            f"{group}: only the first {self._settings.max_pages} pages were read."
        )

    def _results(
        self,
        wanted: Mapping[str, Metric],
        names: Mapping[str, str],
        query: MetricQuery,
        period: int,
    ) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, object] = {
            "MetricDataQueries": [
                _query(key, wanted[name], query.service, period) for key, name in names.items()
            ],
            "StartTime": query.window.since,
            "EndTime": query.window.until + timedelta(seconds=1),
            "ScanBy": "TimestampAscending",
        }
        client = self._client("cloudwatch")
        for _ in range(50):
            with told(self.name):
                answer = client.get_metric_data(**asked)
            if not isinstance(answer.get("MetricDataResults"), list):
                raise AdapterError(self.name, Reason.BAD_RESPONSE, "answered without results")
            yield from answer["MetricDataResults"]
            following = answer.get("NextToken")
            if not following or following == asked.get("NextToken"):
                return
            asked["NextToken"] = following

    def _series(
        self, wanted: Mapping[str, Metric], found: Mapping[str, list[Point]], query: MetricQuery
    ) -> Iterator[MetricSeries]:
        for name, metric in wanted.items():
            points = sorted((p for p in found[name] if p.at in query.window), key=lambda p: p.at)
            if points:
                yield MetricSeries(
                    source=self.name,
                    name=name,
                    labels={
                        k: v.replace("$service", query.service)
                        for k, v in metric.dimensions.items()
                    },
                    unit=metric.unit,
                    service=query.service,
                    points=tuple(points),
                )

    def _link(self, group: str, window: Window) -> str:
        """The console's own double encoding: `/` is `$252F`."""
        region = self._settings.region
        begin, end = micros(window.since) // 1000, micros(window.until) // 1000
        encoded = quote(quote(group, safe=""), safe="").replace("%", "$")
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
            f"#logsV2:log-groups/log-group/{encoded}/log-events$3Fstart$3D{begin}$26end$3D{end}"
        )


def filter_pattern(texts: tuple[str, ...]) -> str:
    """Quoted terms that must all be there, as many as a pattern may hold.

    A text is cut at quotes and backslashes, whose meaning within a term is not documented; the whole text is looked for
    again on our side. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    pieces = (piece.strip() for text in texts for piece in re.split(r'["\\\x00-\x1f\x7f]', text))
    pattern = ""
    for piece in pieces:
        if piece and len(pattern) + len(piece) + 3 <= 1_024:
            pattern += f' "{piece}"'
    return pattern.strip()


def _query(key: str, metric: Metric, service: str, period: int) -> Mapping[str, object]:
    dimensions = [
        {"Name": name, "Value": value.replace("$service", service)[:1_024]}
        for name, value in metric.dimensions.items()
    ]
    named = {"Namespace": metric.namespace, "MetricName": metric.metric, "Dimensions": dimensions}
    return {"Id": key, "MetricStat": {"Metric": named, "Period": period, "Stat": metric.stat}}
