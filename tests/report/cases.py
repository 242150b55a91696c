"""A finished look at an incident, as the engine and the sources would give it, and many random ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from adapters.kit.records import Alert, Commit, Deploy, FileChange, Runbook, Window
from bot.analysis.findings import (
    Crossing,
    Example,
    Findings,
    Frame,
    LogStats,
    Onset,
    Pattern,
    Series,
    Suspect,
    Term,
)
from bot.report import Checked, Gap, Report, Seen, texts
from bot.report.build import build
from bot.verify import verify

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ONSET = NOON + timedelta(hours=2, minutes=2, seconds=10)
SHA = "3f9c2d1e4b6978012345678901234567890abcde"
OTHER = "b0a1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9"
TRACE = (
    "KeyError: 'currency'\n"
    "Traceback (most recent call last):\n"
    '  File "/srv/app/checkout/price.py", line 88, in total\n'
    '    return amounts[order["currency"]]'
)


def findings() -> Findings:
    """Checkout fails with a KeyError since shortly after two; the first of two changes did it."""
    example = Example(
        source="files",
        origin="checkout.log",
        line=4711,
        at=ONSET,
        text=TRACE,
        before=("INFO order 7 received",),
        after=("INFO retry in 250 ms",),
    )
    error = Pattern(
        id="L1",
        template="KeyError: '<*>'",
        service="checkout",
        level="error",
        kind="new",
        count=1520,
        baseline_count=0,
        first_seen=ONSET,
        last_seen=ONSET + timedelta(minutes=30),
        score=9.5,
        terms=(Term(name="new", weight=6.0, evidence="never in the baseline"),),
        examples=(example,),
        frames=(Frame(file="checkout/price.py", line=88, function="total", language="python"),),
        counts=(0, 0, 500, 1020),
    )
    slow = Pattern(
        id="L2",
        template="upstream checkout answered <NUM>",
        service="web",
        level="warn",
        kind="surging",
        count=900,
        baseline_count=12,
        first_seen=ONSET + timedelta(seconds=20),
        score=4.0,
        counts=(3, 9, 400, 500),
    )
    nightly = Pattern(
        id="L3",
        template="vacuum started",
        service="db",
        level="info",
        kind="surging",
        count=40,
        baseline_count=41,
        recurring=True,
        score=1.2,
    )
    start = NOON + timedelta(hours=1, minutes=30)
    return Findings(
        window=Window(since=start, until=start + timedelta(hours=1)),
        service="checkout",
        onset=Onset(
            at=ONSET, earliest=ONSET - timedelta(seconds=20), latest=ONSET + timedelta(seconds=5)
        ),
        patterns=(error, slow, nightly),
        suspects=(_suspect(), _other()),
        none_of_these=0.11,
        propagation=(
            Crossing(service="checkout", at=ONSET, pattern="L1", rank=1),
            Crossing(service="web", at=ONSET + timedelta(seconds=20), pattern="L2", rank=2),
        ),
        series=(
            Series(
                service="checkout",
                start=start,
                bucket_s=900,
                total=(90, 91, 600, 1100),
                errors=(0, 0, 500, 1020),
            ),
        ),
        stats=LogStats(lines=48_000, templates=31, bytes=6_000_000),
    )


def _suspect() -> Suspect:
    return Suspect(
        id="C1",
        sha=SHA,
        repo="shop/checkout",
        title="Read the currency from the order",
        committed_at=ONSET - timedelta(minutes=40),
        deployed_at=ONSET - timedelta(minutes=4),
        url="https://git.example.com/shop/checkout/commit/3f9c2d1",
        probability=0.8123,
        score=4.1,
        terms=(
            Term(name="line of a stack frame", weight=2.6, evidence="checkout/price.py:88"),
            Term(
                name="deploy before onset", weight=1.2, evidence="deployed 4 min before the onset"
            ),
        ),
        files=("checkout/price.py",),
    )


def _other() -> Suspect:
    return Suspect(
        id="C2",
        sha=OTHER,
        repo="shop/checkout",
        title="Explain `total` in the docs",
        committed_at=ONSET - timedelta(hours=5),
        probability=0.02,
        score=-2.0,
        terms=(Term(name="documentation only", weight=-3.0, evidence="docs/total.md"),),
    )


def seen() -> Seen:
    """What the sources said about it."""
    patch = "@@ -85,6 +85,6 @@ def total(order):\n-    return amounts[DEFAULT]\n+    return amounts[order['currency']]"
    change = FileChange(path="checkout/price.py", added=1, removed=1, patch=patch)
    return Seen(
        commits=(
            Commit(
                source="git",
                repo="shop/checkout",
                sha=SHA,
                title="Read the currency from the order",
                author="Ada",
                committed_at=ONSET - timedelta(minutes=40),
                url="https://git.example.com/shop/checkout/commit/3f9c2d1",
                files=(change,),
            ),
            Commit(
                source="git",
                repo="shop/checkout",
                sha=OTHER,
                title="Explain `total` in the docs",
                committed_at=ONSET - timedelta(hours=5),
                files=(FileChange(path="docs/total.md"),),
            ),
        ),
        deploys=(
            Deploy(
                source="cd",
                service="checkout",
                version="1.4.2",
                status="success",
                at=ONSET - timedelta(minutes=4),
            ),
        ),
        alerts=(
            Alert(
                source="alertmanager",
                title="CheckoutErrors",
                fingerprint="f1",
                started_at=ONSET + timedelta(minutes=3),
                labels={"team": "shop-oncall", "severity": "page"},
            ),
        ),
        runbooks=(
            Runbook(
                source="docs",
                title="Checkout errors",
                text="Roll back.",
                url="https://wiki.example.com/co",
            ),
        ),
        gaps=(Gap(system="metrics", reason="did not answer within 90 seconds"),),
    )


def report() -> Report:
    """The report that the offline narrator makes of it."""
    from bot.crew.offline import OfflineNarrator

    found, records = findings(), seen()
    told = OfflineNarrator().narrate("why 500s?", found, records)
    return build(
        "42",
        "why 500s?",
        found,
        verify(told, texts(found, records)),
        records,
        timings={"look": 1.5},
    )


def checked() -> Checked:
    """Nothing said, nothing removed: for reports whose words do not matter."""
    from bot.report import Narrative

    return Checked(
        narrative=Narrative(conclusion="inconclusive", confidence=0.1, summary="Nothing.")
    )


# --- random ones: whatever stands in logs and titles, in every constellation of findings --------------

_TEXT = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            TRACE,
            'say "no" to `rm -rf` and “curly”',
            "took 12.5 ms, 3 retries, 99.9 % of 1,000 at 14:02:03 on 2026-11-20",
            "GET /api/v1/pay?x=1 500 in a/b/c.py:12 by deadbeef1234567",
            "password=hunter2 for bob@example.com",
            "C9 and L7 of P1",
            "\x1b[31mred\x1b[0m \u202eevil https://evil.example/x(y)",
            "e\u0301galite\u0301 ﷺ ﬁn İstanbul ß",
            "...",
            "…",
            "<*>",
            "[secret:x#1]",
        ]
    ),
)
_NAME = st.one_of(st.from_regex(r"[a-z]{3,9}(-[a-z0-9]{1,5})?", fullmatch=True), _TEXT)
_MOMENT = st.datetimes(
    min_value=datetime(2026, 11, 20),  # noqa: DTZ001 - hypothesis wants them bare
    max_value=datetime(2026, 11, 22),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_SHA = st.text("0123456789abcdef", min_size=40, max_size=40)
_TERM = st.builds(Term, name=_TEXT, weight=st.floats(-8, 8, allow_nan=False), evidence=_TEXT)


@st.composite
def random_findings(draw: st.DrawFn) -> Findings:
    """Findings that an engine could give, with the worst of texts."""
    patterns = tuple(
        Pattern(
            id=f"L{number}",
            template=draw(_TEXT),
            service=draw(_NAME),
            level=draw(st.sampled_from(["error", "warn", "info", ""])),
            kind=draw(st.sampled_from(["new", "surging", "dropping", "vanished", "steady"])),
            count=draw(st.integers(0, 10**7)),
            baseline_count=draw(st.integers(0, 10**7)),
            first_seen=draw(st.none() | _MOMENT),
            last_seen=draw(st.none() | _MOMENT),
            recurring=draw(st.booleans()),
            score=draw(st.floats(0, 20)),
            examples=tuple(
                Example(source="files", origin=draw(_NAME), line=number, text=text)
                for text in draw(st.lists(_TEXT, max_size=2))
            ),
        )
        for number in range(1, draw(st.integers(0, 4)) + 1)
    )
    shares = draw(st.lists(st.floats(0, 1), max_size=4))
    whole = sum(shares) + draw(st.floats(0.001, 1))
    suspects = tuple(
        Suspect(
            id=f"C{number}",
            sha=draw(_SHA),
            repo=draw(_NAME),
            title=draw(_TEXT),
            committed_at=draw(_MOMENT),
            deployed_at=draw(st.none() | _MOMENT),
            probability=share / whole,
            score=0.0,
            terms=tuple(draw(st.lists(_TERM, max_size=3))),
        )
        for number, share in enumerate(sorted(shares, reverse=True), start=1)
    )
    at = draw(_MOMENT)
    lines = draw(st.integers(0, 10**6))
    return Findings(
        window=Window(since=NOON, until=NOON + timedelta(hours=3)),
        service=draw(_NAME),
        onset=draw(
            st.none() | st.just(Onset(at=at, earliest=at - timedelta(minutes=1), latest=at))
        ),
        patterns=patterns,
        suspects=suspects,
        none_of_these=1 - sum(shares) / whole,
        propagation=tuple(
            Crossing(
                service=p.service, at=draw(_MOMENT), pattern=p.id, rank=draw(st.integers(1, 3))
            )
            for p in patterns
        ),
        stats=LogStats(lines=lines, lines_without_time=draw(st.integers(0, lines))),
        notes=tuple(draw(st.lists(_TEXT, max_size=2))),
    )


random_seen = st.builds(
    Seen,
    deploys=st.lists(
        st.builds(Deploy, source=st.just("cd"), service=_NAME, version=_TEXT, at=_MOMENT),
        max_size=2,
    ).map(tuple),
    alerts=st.lists(
        st.builds(
            Alert,
            source=st.just("am"),
            title=_TEXT,
            fingerprint=st.just("f"),
            started_at=st.none() | _MOMENT,
        ),
        max_size=1,
    ).map(tuple),
    runbooks=st.lists(
        st.builds(
            Runbook,
            source=st.just("docs"),
            title=_TEXT,
            text=_TEXT,
            url=st.just("https://wiki.example.com/a"),
        ),
        max_size=1,
    ).map(tuple),
    gaps=st.lists(st.builds(Gap, system=_NAME, reason=_TEXT), max_size=2).map(tuple),
)
