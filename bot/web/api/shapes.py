"""What the API says and takes. Fields are added in a version, never taken away or given another meaning."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.redact import redact
from storage.models import Alert, ApiKey, Audit, Feedback, Investigation, Message


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Start(Closed):
    """What to investigate. Times are ISO 8601 with a zone, or `2h` and `14:00` as in Slack."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={
            "examples": [{"question": "checkout returns 500", "service": "checkout", "since": "2h"}]
        },
    )
    question: str = Field(min_length=1, max_length=4_000)
    service: str = Field(default="", max_length=200)
    since: str = Field(default="", max_length=60)
    until: str = Field(default="", max_length=60)
    tz: str = Field(default="UTC", max_length=60)
    repo: str = Field(default="", max_length=300)
    head: str = Field(default="", max_length=200)


class Question(Closed):
    text: str = Field(min_length=1, max_length=4_000, examples=["Which services failed first?"])


class Opinion(Closed):
    verdict: Literal["right", "wrong"]
    cause: str = Field(default="", max_length=4_000)
    sha: str = Field(default="", max_length=200)


class NewKey(Closed):
    name: str = Field(min_length=1, max_length=100, examples=["ci"])
    scopes: list[Literal["read", "write", "admin"]] = Field(min_length=1, max_length=3)
    expires_at: AwareDatetime | None = None


class InvestigationView(BaseModel):
    """One investigation, as lists show it."""

    id: int
    state: str
    question: str
    service: str
    door: str
    requested_by: str
    conclusion: str | None
    confidence: float | None
    summary: str
    error: str
    parent_id: int | None
    last_event: int
    created_at: datetime
    finished_at: datetime | None


def investigation(case: Investigation) -> InvestigationView:
    shown = InvestigationView.model_validate(case, from_attributes=True)
    return shown.model_copy(
        update={"question": redact(case.question), "summary": redact(case.summary)}
    )


class Investigations(BaseModel):
    """A page; `next` is the cursor of the next one, null at the end."""

    items: list[InvestigationView]
    next: str | None = None


class Started(BaseModel):
    """`created` is false when the same idempotency key was used before; `position` is the place in the queue."""

    id: int
    created: bool
    position: int


class Accepted(BaseModel):
    id: str


class MessageView(BaseModel):
    author: str
    role: str
    text: str
    created_at: datetime


def message(one: Message) -> MessageView:
    return MessageView(
        author=one.author, role=one.role, text=redact(one.text), created_at=one.created_at
    )


class EvidenceView(BaseModel):
    key: str
    kind: str
    payload: dict[str, Any]


class EventView(BaseModel):
    number: int
    kind: str
    payload: dict[str, Any]
    at: datetime


class AlertView(BaseModel):
    id: int
    source: str
    title: str
    service: str
    severity: str
    count: int
    first_seen: datetime
    last_seen: datetime
    resolved: bool
    investigation_id: int | None


def alert(one: Alert) -> AlertView:
    shown = AlertView.model_validate(one, from_attributes=True)
    return shown.model_copy(update={"title": redact(one.title)})


class FeedbackView(BaseModel):
    author: str
    verdict: str
    cause: str
    sha: str
    updated_at: datetime


def opinion(one: Feedback) -> FeedbackView:
    return FeedbackView.model_validate(one, from_attributes=True)


class SourceView(BaseModel):
    group: str
    type: str
    name: str
    breaker: str


class HealthView(BaseModel):
    """What a source said when it was asked just now."""

    group: str
    name: str
    ok: bool | None
    detail: str


class KeyView(BaseModel):
    id: int
    name: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


class MadeKey(KeyView):
    """`key` is shown this once."""

    key: str


def key(one: ApiKey) -> KeyView:
    return KeyView(**(one.model_dump(exclude={"digest"}) | {"scopes": one.scopes.split()}))


class AuditView(BaseModel):
    at: datetime
    person: str
    action: str
    allowed: bool
    subject: str


def audit_line(one: Audit) -> AuditView:
    return AuditView.model_validate(one, from_attributes=True)


def clean(value: object) -> Any:  # noqa: ANN401 - JSON in, the same JSON out
    """JSON with secrets and personal data taken out of every text."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
