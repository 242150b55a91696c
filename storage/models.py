"""The tables. Times are aware and in UTC; JSON columns hold objects; free text is cut and cleaned on its way in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.columns import FreeText, JsonObject, json_column


class JobState(StrEnum):
    QUEUED = "queued"  # waiting for `run_after` and a free place
    RUNNING = "running"  # leased by `owner` until `lease_until`
    DONE = "done"
    FAILED = "failed"  # it makes no sense to try again
    CANCELLED = "cancelled"
    DEAD = "dead"  # every attempt was used up


class InvestigationState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OutboxState(StrEnum):
    PENDING = "pending"  # to be sent, or being sent while `lease_until` lies ahead
    POSTED = "posted"
    FAILED = "failed"  # given up


OPEN_JOB = text("state IN ('queued', 'running')")
"""The partial-index condition under which a dedupe key is taken."""
OPEN_ALERT = text("closed_at IS NULL")


class Row(SQLModel):
    """Base of every table: own metadata, with names that a migration can refer to on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Inbox(Row, table=True):
    """An event that a door has taken in, so that its redelivery is recognised. Purged after two days."""

    __tablename__ = "inbox"

    source: str = Field(primary_key=True, sa_type=FreeText(100))
    event_id: str = Field(primary_key=True, sa_type=FreeText(500))
    received_at: datetime = Field(index=True)


class Investigation(Row, table=True):
    """What was asked, where, and what came of it.

    Ids are never reused, even after retention has deleted rows: message keys are built from them.
    """

    __tablename__ = "investigation"
    __table_args__ = (
        UniqueConstraint("workspace", "origin"),
        Index("ix_investigation_thread", "workspace", "channel", "thread_ts"),
        Index("ix_investigation_recent", "workspace", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True)
    workspace: str
    origin: str = Field(sa_type=FreeText(500))
    door: str
    requested_by: str = Field(default="", sa_type=FreeText(200))
    channel: str = ""
    thread_ts: str | None = None
    question: str = Field(default="", sa_type=FreeText(8_000))
    service: str = Field(default="", sa_type=FreeText(200))
    since: datetime | None = None
    until: datetime | None = None
    repo: str = Field(default="", sa_type=FreeText(500))
    head: str = Field(default="", sa_type=FreeText(200))
    tz: str = "UTC"
    alert: JsonObject | None = Field(default=None, sa_type=json_column())
    parent_id: int | None = Field(
        default=None, foreign_key="investigation.id", ondelete="SET NULL", index=True
    )
    state: str = InvestigationState.QUEUED
    error: str = Field(default="", sa_type=FreeText(2_000))
    conclusion: str | None = None
    confidence: float | None = None
    summary: str = Field(default="", sa_type=FreeText(8_000))
    report: JsonObject | None = Field(default=None, sa_type=json_column())
    last_event: int = 0
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


class InvestigationEvent(Row, table=True):
    """One line of progress, numbered from 1 within its investigation without holes."""

    __tablename__ = "investigation_event"

    investigation_id: int = Field(
        primary_key=True, foreign_key="investigation.id", ondelete="CASCADE"
    )
    number: int = Field(primary_key=True)
    kind: str
    payload: JsonObject = Field(sa_type=json_column())
    at: datetime


class EvidenceItem(Row, table=True):
    """One record that a report may cite, by the id it has within the investigation (`L12`, `C3`)."""

    __tablename__ = "evidence"

    investigation_id: int = Field(
        primary_key=True, foreign_key="investigation.id", ondelete="CASCADE"
    )
    key: str = Field(primary_key=True)
    kind: str
    position: int = 0
    payload: JsonObject = Field(sa_type=json_column())


class Message(Row, table=True):
    """What was said in an investigation's thread, by a person or by the bot."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("channel", "ts"),
        Index("ix_message_thread", "investigation_id", "ts"),
    )

    id: int = Field(default=None, primary_key=True)
    investigation_id: int = Field(foreign_key="investigation.id", ondelete="CASCADE")
    channel: str
    thread_ts: str
    ts: str
    author: str = Field(sa_type=FreeText(200))
    role: str
    text: str = Field(sa_type=FreeText(40_000))
    created_at: datetime


class Job(Row, table=True):
    """Work to be done once. Whoever holds the newest `fence` may write its results; nobody else can.

    Lower `priority` goes first. `attempt` counts claims, so that a job which kills its process is counted too.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "job_open",
            "workspace",
            "dedupe_key",
            unique=True,
            sqlite_where=OPEN_JOB,
            postgresql_where=OPEN_JOB,
        ),
        Index("ix_job_waiting", "state", "priority", "created_at"),
        Index("ix_job_running", "state", "workspace"),
    )

    id: str = Field(primary_key=True)
    kind: str
    workspace: str
    investigation_id: int | None = Field(
        default=None, foreign_key="investigation.id", ondelete="CASCADE", index=True
    )
    priority: int = 5
    state: str = JobState.QUEUED
    payload: JsonObject = Field(sa_type=json_column())
    dedupe_key: str | None = Field(default=None, sa_type=FreeText(500))
    created_at: datetime
    run_after: datetime
    finished_at: datetime | None = None
    attempt: int = 0
    max_attempts: int = 5
    owner: str | None = None
    fence: int = 0
    lease_until: datetime | None = None
    cancel_requested: bool = False
    error: str = Field(default="", sa_type=FreeText(2_000))


class JobStep(Row, table=True):
    """The saved result of a finished stage; a later attempt reads it instead of running the stage again."""

    __tablename__ = "job_step"

    job_id: str = Field(primary_key=True, foreign_key="job.id", ondelete="CASCADE")
    step: str = Field(primary_key=True)
    result: JsonObject = Field(sa_type=json_column())
    fence: int
    saved_at: datetime


class OutboxMessage(Row, table=True):
    """One Slack message (or reaction): what it should say, and what has become of it.

    `version` grows with each new body and `claimed_version` is the one being sent, so that a body which changes
    while its predecessor is on the wire is sent afterwards. `attempt` counts sendings; above 1 an earlier one
    may have arrived unnoticed, and the publisher looks for `key` in Slack before it posts.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("investigation_id", "section"),
        UniqueConstraint("key"),
        Index("ix_outbox_due", "state", "next_try"),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True)
    investigation_id: int = Field(foreign_key="investigation.id", ondelete="CASCADE")
    section: str
    key: str
    seq: int
    kind: str
    channel: str
    thread: bool = True
    body: JsonObject = Field(sa_type=json_column())
    version: int = 1
    claimed_version: int = 0
    state: str = OutboxState.PENDING
    ts: str | None = None
    attempt: int = 0
    error: str = Field(default="", sa_type=FreeText(500))
    owner: str | None = None
    lease_until: datetime | None = None
    next_try: datetime
    created_at: datetime
    posted_at: datetime | None = None


class Alert(Row, table=True):
    """One episode of an alert in a channel: from its first firing until it is resolved or falls silent."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_open",
            "workspace",
            "channel",
            "fingerprint",
            unique=True,
            sqlite_where=OPEN_ALERT,
            postgresql_where=OPEN_ALERT,
        ),
        Index("ix_alert_history", "workspace", "fingerprint", "first_seen"),
    )

    id: int = Field(default=None, primary_key=True)
    workspace: str
    channel: str
    fingerprint: str = Field(sa_type=FreeText(500))
    ts: str
    last_ts: str
    source: str = Field(default="", sa_type=FreeText(100))
    title: str = Field(default="", sa_type=FreeText(1_000))
    service: str = Field(default="", sa_type=FreeText(200))
    severity: str = "unknown"
    payload: JsonObject = Field(sa_type=json_column())
    count: int = 1
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None = None
    resolved: bool = False
    investigation_id: int | None = Field(
        default=None, foreign_key="investigation.id", ondelete="SET NULL", index=True
    )


class ChannelSetting(Row, table=True):
    """What people have decided for a channel. None: not decided, so the configuration counts."""

    __tablename__ = "channel_setting"

    workspace: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    watch: bool | None = None
    shared: bool | None = None
    per_hour: int | None = None
    updated_by: str = Field(default="", sa_type=FreeText(200))
    updated_at: datetime


class Mute(Row, table=True):
    """Until then no alert of the service (or, when empty, of the channel) starts anything: maintenance."""

    __tablename__ = "mute"
    __table_args__ = (Index("ix_mute_until", "workspace", "until"),)

    id: int = Field(default=None, primary_key=True)
    workspace: str
    service: str = Field(default="", sa_type=FreeText(200))
    channel: str = ""
    until: datetime
    muted_by: str = Field(default="", sa_type=FreeText(200))
    created_at: datetime


class Feedback(Row, table=True):
    """What a person says of a report: right or wrong, and what it really was. One opinion a person."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("investigation_id", "author"),)

    id: int = Field(default=None, primary_key=True)
    investigation_id: int = Field(foreign_key="investigation.id", ondelete="CASCADE")
    author: str = Field(sa_type=FreeText(200))
    verdict: str
    cause: str = Field(default="", sa_type=FreeText(4_000))
    sha: str = Field(default="", sa_type=FreeText(200))
    updated_at: datetime


class Audit(Row, table=True):
    """Who did, or was refused, something that others must be able to look up."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_recent", "workspace", "at"),)

    id: int = Field(default=None, primary_key=True)
    workspace: str
    at: datetime
    person: str = Field(sa_type=FreeText(200))
    action: str
    allowed: bool
    channel: str = ""
    subject: str = Field(default="", sa_type=FreeText(500))


class Installation(Row, table=True):
    """One installation of the Slack app, encrypted as a whole; `person` is empty for the bot's own."""

    __tablename__ = "installation"
    __table_args__ = (UniqueConstraint("enterprise", "team", "person"),)

    id: int = Field(default=None, primary_key=True)
    enterprise: str = ""
    team: str = ""
    person: str = ""
    sealed: str
    installed_at: datetime


class OAuthState(Row, table=True):
    """A state parameter of an installation under way; used once."""

    __tablename__ = "oauth_state"

    state: str = Field(primary_key=True)
    expires_at: datetime


class ApiKey(Row, table=True):
    """A key of the HTTP API. Only a keyed hash of it is stored; `name` is what lists and the audit log show."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("digest"),)

    id: int = Field(default=None, primary_key=True)
    name: str = Field(sa_type=FreeText(200))
    digest: str
    scopes: str
    created_by: str = Field(default="", sa_type=FreeText(200))
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None


class WebSession(Row, table=True):
    """A browser that is signed in; the cookie holds a random token, this row its keyed hash."""

    __tablename__ = "web_session"

    digest: str = Field(primary_key=True)
    person: str = Field(sa_type=FreeText(200))
    scopes: str
    created_at: datetime
    expires_at: datetime = Field(index=True)


class Memory(Row, table=True):
    """A finished investigation as it is found again: its words for the search, its features for likeness.

    Each database has an index of `words` of its own kind (FTS5, tsvector); only the migrations know it.
    """

    __tablename__ = "memory"
    __table_args__ = (Index("ix_memory_at", "workspace", "at"),)

    investigation_id: int = Field(
        primary_key=True, foreign_key="investigation.id", ondelete="CASCADE"
    )
    workspace: str
    service: str = Field(default="", sa_type=FreeText(200))
    at: datetime
    cause: str = Field(default="", sa_type=FreeText(1_000))
    words: str = Field(sa_type=FreeText(20_000))
    features: JsonObject = Field(sa_type=json_column())


class Tick(Row, table=True):
    """When something periodic last ran, in the whole cluster."""

    __tablename__ = "tick"

    name: str = Field(primary_key=True, sa_type=FreeText(200))
    at: datetime
