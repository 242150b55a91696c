"""Takes secrets out of what the engine shows and compares: lines, templates, the words of the symptom.

Masking comes before grouping and would tear a secret apart: of `AKIA7F3...` it leaves pieces that no rule knows
any more. Redacting every line first would cost more than all the rest, so a template that may hold such pieces is
made again from one of its lines, which is redacted as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from adapters.kit.records import LogBatch
from bot.analysis.findings import Example
from bot.analysis.grid import Grid
from bot.analysis.masking import WILD, mask_one
from bot.analysis.tally import NO_BUCKET, Ints
from bot.analysis.templates import canonical
from bot.redact import Redactor, announces

MAX_REWRITTEN = 5_000
"""Templates that are made again; a log with more of them that look like secrets has them withheld."""

_WITHHELD = "[withheld: looks like a secret]"
_LINE_CHARS = 8_000
_NUMBERED = re.compile(r"(\[secret:[a-z0-9-]{1,24})#<\*>\]")
_PLACEHOLDER = re.compile(r"\[secret:[a-z0-9-]{1,24}(?:#[0-9]{1,6})?\]")


def discreet_grid(
    grid: Grid, logs: Iterable[LogBatch], baseline: Iterable[LogBatch], redactor: Redactor
) -> Grid:
    """The grid with templates that hold no secrets, from one line of each that might; most logs have few."""
    shapes = list(grid.shapes)
    asked = [i for i, shape in enumerate(shapes) if announces(shape.template)]
    chosen = asked[:MAX_REWRITTEN]
    lines = _first_lines(logs, grid.first_row, chosen)
    rest = [i for i in chosen if i not in lines]
    lines |= _first_lines(baseline, grid.base_first_row, rest)
    for i in asked:
        raw, template = lines.get(i), _WITHHELD
        if raw is not None:
            template = shown_template(
                shapes[i].template, raw, "\n".join(redactor.lines(raw.split("\n"))), redactor
            )
        shapes[i] = replace(shapes[i], template=template)
    return replace(grid, shapes=tuple(shapes)) if asked else grid


def _first_lines(batches: Iterable[LogBatch], rows: Ints, shapes: Iterable[int]) -> dict[int, str]:
    """The text of each shape's first row, as far as the stream has it."""
    wanted = sorted((int(rows[i]), i) for i in shapes if rows[i] != NO_BUCKET)
    found: dict[int, str] = {}
    offset = place = 0
    for batch in batches if wanted else ():
        end = offset + batch.frame.height
        here = place
        while place < len(wanted) and wanted[place][0] < end:
            place += 1
        if place > here:
            picked = batch.frame["text"][[row - offset for row, _ in wanted[here:place]]]
            texts = picked.fill_null("").str.slice(0, _LINE_CHARS)
            found |= {i: text for (_, i), text in zip(wanted[here:place], texts, strict=True)}
        offset = end
        if place == len(wanted):
            break
    return found


def discreet(example: Example, redactor: Redactor) -> Example:
    """The same event without its secrets, in its line and in those around it."""
    shown = redactor.lines((*example.before, example.text, *example.after))
    place = len(example.before)
    return example.model_copy(
        update={
            "origin": redactor.text(example.origin),
            "before": shown[:place],
            "text": shown[place],
            "after": shown[place + 1 :],
        }
    )


def shown_template(template: str, raw: str, redacted: str, redactor: Redactor) -> str:
    """The template as it may be shown: from the redacted line where its line held a secret.

    Words that vary between the pattern's lines stay wildcards as long as the words can be told one by one.
    """
    if raw == redacted or template == canonical(mask_one(redacted)):
        return _NUMBERED.sub(r"\1]", redactor.text(template))
    told = _NUMBERED.sub(r"\1]", canonical(mask_one(redacted)))
    old, new = template.split(), told.split()
    if len(old) != len(new):
        return told
    return " ".join(WILD if was == WILD else now for was, now in zip(old, new, strict=True))


def unspoken(text: str) -> str:
    """Text to compare with changes: without placeholders, whose words would match any code about secrets."""
    return _PLACEHOLDER.sub(" ", text)
