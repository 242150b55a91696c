"""The answers about single records: a change with its diff, a pattern's lines, an alert, a runbook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from adapters.kit.records import Commit, FileChange
from bot.analysis.findings import Pattern
from bot.followup.case import Answer, Case
from bot.followup.views import pattern_line, shown
from bot.report import kept, outline
from bot.report.words import counted, one_line, percent, quoted

_AROUND = re.compile(r"\b(?:around|context|before|after|surround|near)")
_NAMES = {
    "C": "change",
    "D": "deploy",
    "M": "metric",
    "A": "alert",
    "I": "incident",
    "T": "ticket",
    "R": "runbook",
    "L": "log pattern",
    "P": "past investigation",
}
_MOST_FIELDS = 14
_MOST_POINTS = 12


def about(case: Case, lowered: str, keys: Sequence[str]) -> Answer:
    """Show the named records: the first whole, of a pattern the lines or what stands around them."""
    known = [key for key in keys if key in case.evidence or case.pattern(key) or case.suspect(key)]
    if not known:
        return _unknown(case, keys[0])
    key = known[0]
    pattern = case.pattern(key)
    if pattern is not None:
        return _around(case, pattern) if _AROUND.search(lowered) else _lines(case, pattern)
    return _change(case, key) if key.startswith("C") else _record(case, key)


def _unknown(case: Case, key: str) -> Answer:
    there = case.keys(key[0]) or [p.id for p in case.report.patterns if p.id[0] == key[0]]
    name = _NAMES.get(key[0], "record")
    if not there:
        return case.say(f"There is no {key}: I saw no {name} in this investigation.")
    return case.say(f"There is no {key}. The {name}s go from {there[0]} to {there[-1]}.")


def _lines(case: Case, pattern: Pattern) -> Answer:
    listing: list[str] = []
    for example in pattern.examples:
        at = f"  {shown(case, example.at)}" if example.at else ""
        listing += [
            f"{outline.place(example)}{at}",
            *(f"  {line}" for line in example.text.splitlines()),
        ]
    return case.say(
        pattern_line(pattern),
        "" if listing else "None of its lines were kept.",
        cites=[pattern.id],
        listing=listing,
    )


def _around(case: Case, pattern: Pattern) -> Answer:
    example = next((e for e in pattern.examples if e.before or e.after), None)
    if example is None:
        return case.say(
            f"The lines around {pattern.id} were not kept. Say “lines {pattern.id}” for its own.",
            cites=[pattern.id],
        )
    listing = [
        *(f"  {line}" for line in example.before),
        *(f"> {line}" for line in example.text.splitlines()),
        *(f"  {line}" for line in example.after),
    ]
    return case.say(
        f"Around one line of {pattern.id}, {outline.place(example)}:",
        cites=[pattern.id],
        listing=listing,
    )


def _change(case: Case, key: str) -> Answer:
    commit = kept(case.evidence.get(key, {}), Commit)
    suspect = case.suspect(key)
    lines: list[str] = []
    if commit is not None:
        author = f" by {one_line(commit.author, 80)}" if commit.author else ""
        lines += [
            f"{key}  {commit.sha}  {quoted(commit.title, 160)}",
            f"committed {shown(case, commit.committed_at)}{author}",
            one_line(commit.url, 300),
        ]
    elif suspect is not None:
        lines += [f"{key}  {suspect.sha}  {quoted(suspect.title, 160)}", one_line(suspect.url, 300)]
    if suspect is not None:
        terms = [t for t in outline.top_terms(suspect.terms) if abs(t.weight) > 0.1]
        lines.append(f"Probability {percent(suspect.probability)}.")
        lines += [
            one_line(f"{t.weight:+.2f}  {t.name}: {t.evidence}", 160).rstrip(": ") for t in terms
        ]
    files = commit.files if commit else ()
    diff = list(_diff(case, files))
    if files and not any(change.patch for change in files):
        lines.append("Its diff was not kept; the files are:")
    elif not files:
        lines.append("Its files are not known.")
    return case.say(*lines, cites=[key], listing=diff)


def _diff(case: Case, files: Sequence[FileChange]) -> Iterator[str]:
    """The files in which a stack frame of the incident lies come first."""
    framed = {frame.file.rsplit("/", 1)[-1] for p in case.report.patterns for frame in p.frames}
    for change in sorted(files, key=lambda f: f.path.rsplit("/", 1)[-1] not in framed):
        old = f" (was {change.old_path})" if change.old_path else ""
        yield f"--- {change.path}{old}, {change.status}"
        yield from change.patch.splitlines()


def _record(case: Case, key: str) -> Answer:
    """Any other record, member by member."""
    record = case.evidence[key]
    name = _NAMES.get(key[0], "record").capitalize()
    lines = [f"{name} {key}"]
    for member, value in list(record.items())[:_MOST_FIELDS]:
        told = _told(value)
        if told and member not in {"fingerprint", "text", "points", "notes"}:
            lines.append(f"{member.replace('_', ' ')}: {told}")
    return case.say(*lines, cites=[key], listing=list(_body(record)))


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{k}={v}" for k, v in value.items() if v not in (None, "")), 400)
    if isinstance(value, list):
        return one_line(", ".join(map(str, value)), 400)
    return "" if value in (None, "") else one_line(str(value), 400)


def _body(record: Mapping[str, object]) -> Iterator[str]:
    text, notes, points = record.get("text"), record.get("notes"), record.get("points")
    if isinstance(text, str):
        yield from text.splitlines()
    if isinstance(notes, list):
        yield from (one_line(str(note), 400) for note in notes)
    if isinstance(points, list) and points:
        values = [p for p in points if isinstance(p, Mapping)]
        step = max(1, len(values) // _MOST_POINTS)
        yield f"{counted(len(values), 'sample')}, every {step}. of them:"
        yield from (f"{p.get('at')}  {p.get('value')}" for p in values[::step])
