"""No piece of a secret is left in what the engine shows: templates, terms, examples, shared words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.kit.records import Commit, FileChange
from bot.analysis.discretion import shown_template
from bot.analysis.engine import analyse
from bot.redact import Redactor, announces
from tests.analysis.streams import Said, at, batches, case
from tests.analysis.test_onset import TRAFFIC

LEAKS = [
    ("db postgres://admin:S3cretP4ss@db.internal:5432/prod refused", "cretP"),
    ("AWS AKIAIOSFODNN7EXAMPLE denied", "IOSFODNN"),
    ("slack xoxb-123456789012-123456789012-AbCdEfGhIjKlMnOpQrStUvWx", "AbCdEf"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNry"),
    ("google AIzaSyD4f5g6h7j8k9l0q1w2e3r4t5y6u7i8o9p", "AIzaSyD"),
    ("openai sk-proj-abcDEF1234567890ghiJKL1234567890mnoPQR", "mnoPQR"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghij"),
    ("glpat-ABCdef123456ghiJKL78", "ABCdef"),
    ("Basic dXNlcjpwYXNzd29yZDEyMw== sent", "dXNlcj"),
    ("mysql -u root -pSup3rS3cret db", "rS"),
    ("login failed password: Tr0ub4dor&3 x", "ub"),
    ("MIIEowIBAAKCAQEA7q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c2v3b", "MIIEow"),
]


@pytest.mark.parametrize(("line", "piece"), LEAKS)
def test_no_piece_of_a_secret_is_shown(line: str, piece: str) -> None:
    said = Said(line, at("10:40:00"), at("11:00:00"), every_s=2, level="error")
    found = analyse(case(batches([*TRAFFIC, said])))
    assert any(p.level == "error" for p in found.patterns)
    assert piece not in found.model_dump_json().replace("surg", "")


def test_what_varies_between_the_lines_stays_a_wildcard() -> None:
    raw, redacted = "denied to ann by token=tok-77", "denied to ann by token=[secret:token#3]"
    told = shown_template("denied to <*> by token=tok-<*>", raw, redacted, Redactor())
    assert told == "denied to <*> by token=[secret:token]"


def test_ordinary_lines_are_not_read_again_for_secrets() -> None:
    ordinary = ("GET /cart <*> took <*>ms", "disk <*> is full", "cache key <*> evicted")
    assert not any(announces(line) for line in ordinary)


def test_shared_words_with_a_change_name_no_secret() -> None:
    patch = (
        "@@ -1,1 +1,2 @@\n-db = connect(host)\n+password = 'hunter2hunter2'\n+db = connect(host)"
    )
    commit = Commit(
        source="git",
        sha="ab" * 20,
        repo="shop",
        title="Connect",
        message="Connect with hunter2hunter2",
        committed_at=at("10:00:00") - timedelta(hours=1),
        files=(FileChange(path="db.py", status="modified", patch=patch),),
    )
    said = Said(
        "connect failed, passwd hunter2hunter2",
        at("10:40:00"),
        at("11:00:00"),
        every_s=2,
        level="error",
    )
    asked = case(batches([*TRAFFIC, said]), symptom="connect fails, password hunter2hunter2")
    found = analyse(replace(asked, commits=(commit,)))
    assert "hunter2" not in found.model_dump_json()
    assert "hunter" not in "".join(t.evidence for s in found.suspects for t in s.terms)
