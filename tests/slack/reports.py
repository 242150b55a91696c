"""Reports for the tests: a plain one, and strategies that put hostile text into every field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.analysis.findings import Crossing, Example, Onset, Pattern, Suspect, Term
from bot.report import Claim, Gap, Moment, Report, ReportWindow, Usage

ONSET = datetime(2026, 11, 21, 14, 2, 10, tzinfo=UTC)
WINDOW = ReportWindow(since=ONSET - timedelta(hours=1), until=ONSET + timedelta(hours=1))

EVIL = (
    "<!channel> & <@U0123456> *bold* `code` <https://evil.example|https://bank.example> ```",
    "\u202egnp.exe <!here|x> \x1b[31mred\x1b[0m \x00",
    "عطل في الدفع <!everyone> ~x~ שלום",
    "line one\nline two\n*Verdict*: not an incident",
    "&lt;!channel&gt; &amp;&amp;&amp;",
    "😀" * 50,
)


def report(**changes: object) -> Report:
    """The report of a broken checkout."""
    fields: dict[str, object] = {
        "id": "42",
        "question": "checkout returns 500s",
        "service": "checkout",
        "window": WINDOW,
        "onset": Onset(at=ONSET, earliest=ONSET - timedelta(minutes=2), latest=ONSET),
        "conclusion": "likely",
        "confidence": 0.82,
        "confidence_terms": (Term(name="clear_onset", weight=1.2, evidence="within two minutes"),),
        "summary": "checkout fails on carts without a currency since 14:02:10.",
        "patterns": (pattern("L1"),),
        "suspects": (suspect("C1"),),
        "none_of_these": 0.1,
        "none_terms": (Term(name="prior", weight=-1.0),),
        "claims": (Claim(text="KeyError is new", cites=("L1",), quote="KeyError: 'currency'"),),
        "removed_claims": 1,
        "gaps": (Gap(system="loki", reason="the token was refused; renew LOKI_TOKEN"),),
        "timeline": (Moment(at=ONSET, text="first error", cites=("L1",)),),
        "propagation": (
            Crossing(service="checkout", at=ONSET, pattern="L1", rank=1),
            Crossing(service="web", at=ONSET, pattern="L2", rank=2),
        ),
        "ruled_out": ("The database: its latency did not change.",),
        "next_steps": ("Roll back abc1234.", "Watch the error rate."),
        "usage": Usage(),
        "timings": {"look": 1.5},
    }
    return Report.model_validate({**fields, **changes})


def suspect(key: str, title: str = "Drop the default currency", url: str = "") -> Suspect:
    return Suspect(
        id=key,
        sha="abc1234def5678",
        repo="shop/checkout",
        title=title,
        committed_at=ONSET - timedelta(hours=3),
        deployed_at=ONSET - timedelta(minutes=5),
        url=url or "https://git.example/shop/checkout/commit/abc1234",
        probability=0.7,
        score=2.1,
        terms=(
            Term(name="frame_in_diff", weight=3.1, evidence="cart.py:42 is in the stack trace"),
            Term(name="age", weight=-0.4, evidence="three hours old"),
        ),
    )


def pattern(key: str, text: str = "KeyError: 'currency'") -> Pattern:
    return Pattern(
        id=key,
        template="KeyError: <*>",
        service="checkout",
        level="error",
        kind="new",
        count=312,
        baseline_count=0,
        first_seen=ONSET,
        score=9.0,
        examples=(Example(source="files", origin="checkout.log", line=17, text=text),),
    )


texts = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=80),
    st.sampled_from(EVIL).map(lambda text: text * 60),
    st.just("x" * 300),
)
terms = st.lists(
    st.builds(Term, name=texts, weight=st.floats(-9, 9), evidence=texts), max_size=6
).map(tuple)
suspects = st.builds(
    Suspect,
    id=st.just("C1"),
    sha=texts,
    repo=texts,
    title=texts,
    committed_at=st.just(ONSET),
    deployed_at=st.sampled_from([None, ONSET]),
    url=st.one_of(texts, st.just("https://git.example/" + "a&" * 900)),
    probability=st.floats(0, 1),
    score=st.just(0.0),
    terms=terms,
)
examples = st.builds(
    Example,
    source=texts,
    origin=texts,
    text=st.one_of(texts, st.just("A" * 200_000), st.sampled_from(EVIL).map(lambda t: t * 2_000)),
    before=st.lists(texts, max_size=3).map(tuple),
    after=st.lists(texts, max_size=3).map(tuple),
)
patterns = st.builds(
    Pattern,
    id=texts,
    template=texts,
    service=texts,
    level=texts,
    kind=st.sampled_from(["new", "surging", "vanished"]),
    count=st.integers(0, 10**9),
    baseline_count=st.integers(0, 10**9),
    score=st.just(1.0),
    examples=st.lists(examples, max_size=2).map(tuple),
)
cites = st.lists(texts, max_size=8).map(tuple)
reports = st.builds(
    Report,
    id=texts,
    question=texts,
    service=texts,
    window=st.just(WINDOW),
    onset=st.sampled_from([None, Onset(at=ONSET, earliest=WINDOW.since, latest=ONSET)]),
    conclusion=st.sampled_from(["confirmed", "likely", "inconclusive", "not_an_incident"]),
    confidence=st.floats(0, 1),
    confidence_terms=terms,
    summary=texts,
    patterns=st.lists(patterns, max_size=12).map(tuple),
    suspects=st.lists(suspects, max_size=20).map(tuple),
    none_of_these=st.floats(0, 1),
    none_terms=terms,
    claims=st.lists(
        st.builds(Claim, text=texts, cites=cites, quote=st.one_of(st.none(), texts)), max_size=30
    ).map(tuple),
    removed_claims=st.integers(0, 99),
    gaps=st.lists(st.builds(Gap, system=texts, reason=texts), max_size=25).map(tuple),
    timeline=st.lists(
        st.builds(Moment, at=st.just(ONSET), text=texts, cites=cites), max_size=50
    ).map(tuple),
    propagation=st.lists(
        st.builds(
            Crossing, service=texts, at=st.just(ONSET), pattern=texts, rank=st.integers(1, 9)
        ),
        max_size=8,
    ).map(tuple),
    ruled_out=st.lists(texts, max_size=25).map(tuple),
    next_steps=st.lists(texts, max_size=9).map(tuple),
    usage=st.builds(
        Usage,
        llm_calls=st.integers(0, 99),
        tokens=st.integers(0, 10**9),
        cost=st.one_of(st.none(), st.floats(0, 99)),
    ),
)
