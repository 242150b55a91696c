"""More labelled cases of "which change did it" from the histories of public repositories, to fit weights on.

A revert names its culprit and often says what went wrong; a repair may quote a trace and name the commit that
introduced it. The text that is left without the names, quotes and trailers is the symptom. Labels are noisier
than those of hand-made cases and weigh less. Culprits of the given cases are left out.

    python -m bot.bench.mine CASES --repos DIR --out mined.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

from adapters.kit.errors import AdapterError
from adapters.kit.git import Git
from bot.analysis.frames import frames
from bot.bench import suspect_cases
from bot.bench.suspect_cases import CANDIDATES, SuspectCase

LIMITS = {"log": 40, "fix": 30, "prose": 4}
"""Cases kept of one repository, by what the symptom is."""

_REVERTED = re.compile(
    r"[Tt]his reverts commit ([0-9a-f]{7,40})|^\s*Reverts? (?:commit )?([0-9a-f]{8,40})",
    re.MULTILINE,
)
_INTRODUCED = re.compile(
    r"^\s*Fixes:? ([0-9a-f]{8,40})\b"
    r"|(?:introduced|regression|regressed|broken|broke)\D{0,60}(?:commit|by|in|since) ([0-9a-f]{8,40})",
    re.MULTILINE | re.IGNORECASE,
)
_TRAILER = re.compile(
    r"^\s*[A-Z][\w-]{1,30}\s*[:=]\s*\S+(?: <\S+>)?(?:,\S+)*\s*$|^\s*[\w-]+-by:|^\s*\(cherry picked"
)
_ORIGINAL = re.compile(r"\s*Original (?:change|CL|commit|message)|^-{5,}", re.IGNORECASE)
_NAMES_CULPRIT = re.compile(
    r"reverts? commit|^\s*Revert\b|\breland|\breverted? .*\b[0-9a-f]{7,40}\b", re.IGNORECASE
)
_REASON = re.compile(r"^\s*Reason for revert(?:ing)?\s*:?\s*", re.IGNORECASE)
_SHA = re.compile(r"(?<!0x)\b[0-9a-f]{9,40}\b")
_EFFECT = re.compile(
    r"error|fail|crash|exception|broke|break|undefined|not found|cannot|can't|could not|time(?:d )?out|segfault|assert|"
    r"regress|panic|\b[45]\d\d\b|leak|fatal|abort|hang|invalid|missing|denied|refused|stuck|slow|latency|outage",
    re.IGNORECASE,
)
_LOG = re.compile(
    r"\w+(?:Error|Exception)\b|[Ee]rror:|ERROR|FATAL|fatal:|FAIL|Traceback|==\d+==|panic:|undefined (?:reference|symbol|method)|"
    r"No such file|not found|cannot |Could not|exit (?:code|status)|SIG[A-Z]{3,5}|Assertion|segfault|warning:"
)
_QUOTE = re.compile(r"[ \t#=]|\S+[:(]\d+|[\w.]+(?:Error|Exception)|\w+: ")


def main(arguments: list[str] | None = None) -> None:
    """Mine every repository of the cases that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    cases = suspect_cases.read(given.cases)
    known = {sha for case in cases for sha in case.truth}
    with given.out.open("wb") as out:
        for repo in sorted({case.repo for case in cases}):
            folder = suspect_cases.find(repo, given.repos)
            if folder is None:
                continue
            found = list(mine(repo, folder, known))
            sys.stderr.write(f"{repo}: {len(found)}\n")
            out.writelines(orjson.dumps(case.model_dump(mode="json")) + b"\n" for case in found)


def mine(repo: str, folder: Path, known: set[str]) -> Iterator[SuspectCase]:
    """The cases of one repository, at most `LIMITS` of each kind, in the order of its history."""
    git = Git(repo, folder)
    dice = random.Random(repo)
    left = dict(LIMITS)
    words = (
        "reverts commit [0-9a-f]{7}",
        "Fixes:? [0-9a-f]{8}",
        "(introduced|regress|broke).*[0-9a-f]{8}",
    )
    greps = [f"--grep={word}" for word in words]
    log = ["log", "--no-merges", "-E", "-i", *greps, "--all", "-n6000", "--format=%H%x00%B%x01"]
    with git.stream(log, may_fail=True) as out:
        entries = out.read(64 << 20).decode("utf-8", "replace").split("\x01")
    dice.shuffle(entries)
    for entry in entries:
        sha, _, message = entry.strip("\n").partition("\0")
        try:
            case = _case(git, sha, message, known, dice)
        except AdapterError:
            continue
        if case and left[case.symptom_kind] > 0:
            left[case.symptom_kind] -= 1
            yield case


def _case(
    git: Git, sha: str, message: str, known: set[str], dice: random.Random
) -> SuspectCase | None:
    reverts = _named(_REVERTED, message)
    culprit = reverts or _named(_INTRODUCED, message)
    full = _sha(git, culprit) if culprit else ""
    if not full or full in known:
        return None
    title = git.run(["log", "-1", "--format=%s", full]).decode("utf-8", "replace").strip()
    kind, symptom = _symptom(message, title, revert=bool(reverts))
    if len(symptom) < 20 or len(symptom.split()) < 3 or (kind == "prose" and len(symptom) < 45):
        return None
    head = _sha(git, f"{sha}^1") if reverts else ""
    candidates = _before(git, head) if head else []
    if full not in candidates:
        head = "" if kind == "prose" else _soon_after(git, full, sha, dice)
        candidates = _before(git, head) if head else []
    if full not in candidates or len(candidates) < CANDIDATES // 2:
        return None
    number = hashlib.sha256(f"{git.system} {sha}".encode()).hexdigest()[:10]
    return SuspectCase(
        id=f"M{number}",
        repo=git.system,
        head=head,
        candidates=candidates,
        symptom_kind=kind,
        symptom=symptom[:6_000],
        truth=[full],
    )


def _named(pattern: re.Pattern[str], message: str) -> str:
    """The one commit that a message names, or nothing when it names several."""
    shas = {first or second for first, second in pattern.findall(message)}
    return shas.pop() if len(shas) == 1 else ""


def _symptom(message: str, title: str, *, revert: bool) -> tuple[str, str]:
    """What kind of symptom a message holds, and its text without what would give the culprit away."""
    kept: list[str] = []
    for raw in message.split("\n")[1:]:
        if _ORIGINAL.match(raw):
            break
        line = _SHA.sub("", _REASON.sub("", re.sub(r"https?://\S+", "<url>", raw)))
        named = len(title) > 8 and title.lower() in raw.lower()
        if not (raw.startswith(">") or named or _TRAILER.match(raw) or _NAMES_CULPRIT.search(raw)):
            kept.append(line.rstrip())
    log = [line for line in kept if _LOG.search(line) or frames(line)]
    if not revert:
        return "fix", "\n".join(line for line in log if _QUOTE.match(line))
    if log:
        return "log", "\n".join(
            line for line in kept if line in log or line.startswith(("  ", "\t"))
        )
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(line.strip() for line in kept if line.strip()))
    return "prose", " ".join([s for s in sentences if _EFFECT.search(s)][:2])[:300]


def _sha(git: Git, revision: str) -> str:
    args = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    return git.run(args, may_fail=True).decode().strip()


def _before(git: Git, head: str) -> list[str]:
    return git.run(["log", "--no-merges", f"-n{CANDIDATES}", "--format=%H", head]).decode().split()


def _soon_after(git: Git, culprit: str, repair: str, dice: random.Random) -> str:
    """A head 0 to 29 commits after the culprit (log-uniform) on the way to its repair."""
    steps = round(30 ** dice.random()) - 1
    if not steps:
        return culprit
    way = ["rev-list", "--no-merges", "--ancestry-path", "--reverse", f"{culprit}..{repair}^1"]
    path = git.run(way, may_fail=True).decode().split()
    return path[min(steps, len(path)) - 1] if path else ""


if __name__ == "__main__":
    main()
