"""The incident as one picture: errors per service over time, the onset, deploys and suspect changes.

Drawn on an opaque light card, so that it reads the same in Slack's light and dark themes. The plotting library is
heavy and is imported only when a picture is wanted; nothing is read or written.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adapters.kit.records import Deploy
from bot.analysis.findings import Findings, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CARD, _INK, _FAINT, _GRID = "#fbfbfd", "#24292f", "#57606a", "#d8dee4"
_ONSET, _DEPLOY, _SUSPECT = "#b42318", "#57606a", "#7c3aed"
# Okabe and Ito's palette: told apart by colour-blind people too.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b07d00", "#56b4e9")
_SHOWN = 5
_MARKS = 6
_BARS = 90
_WORTH = 0.05  # probability from which on a suspect is marked beside the first
_CHAR_SHARE = 0.0095  # of the axis, per character of a label
_LABEL_CHARS = 28


@dataclass(frozen=True, slots=True)
class _Curve:
    label: str
    times: tuple[datetime, ...]
    per_minute: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    label: str
    at: datetime
    colour: str


def timeline(findings: Findings, deploys: Sequence[Deploy] = ()) -> bytes | None:
    """A PNG of 1,600 by 720 pixels, or None when there is no time line to draw.

    Args:
        deploys: in the order of their ids, `D1` first.
    """
    what, curves = _curves(findings)
    if not curves:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), dpi=160, facecolor=_CARD)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.075, 0.13, 0.895, 0.66))
    _draw_curves(axes, curves)
    begin = min(curve.times[0] for curve in curves)
    end = max(curve.times[-1] for curve in curves)
    if findings.onset is not None:
        _draw_onset(axes, findings, begin, end)
    _draw_marks(axes, list(_marks(findings, deploys, begin, end)), begin, end)
    _dress(axes, begin, end, what)
    title = f"{what.capitalize()} per minute by service, UTC"
    figure.text(0.075, 0.935, title, color=_INK, fontsize=12, fontweight="bold", va="center")
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=_CARD, metadata={"Software": None})
    return out.getvalue()


def description(findings: Findings) -> str:
    """What the picture shows, in words, for those who cannot see it."""
    what, curves = _curves(findings)
    parts = [f"{what.capitalize()} per minute over time for {', '.join(c.label for c in curves)}"]
    if findings.onset is not None:
        parts.append(f"onset at {findings.onset.at:%H:%M:%S} UTC")
    if findings.suspects:
        parts.append(f"first suspect {findings.suspects[0].id}")
    return "; ".join(parts)


def _curves(findings: Findings) -> tuple[str, list[_Curve]]:
    """Services in the order in which they failed, then those with most errors, and the rest added up.

    All events where nothing is an error.
    """
    failed = {crossing.service: place for place, crossing in enumerate(findings.propagation)}
    erring = [s for s in findings.series if any(s.errors)]
    what = "errors" if erring else "events"
    chosen = sorted(erring or findings.series, key=lambda s: failed.get(s.service, len(failed)))
    curves = [
        _curve(_plain(s.service) or "log", s, s.errors if erring else s.total)
        for s in chosen[:_SHOWN]
    ]
    rest = chosen[_SHOWN:]
    if rest:
        summed = [
            sum(values)
            for values in zip(*((s.errors if erring else s.total) for s in rest), strict=True)
        ]
        curves.append(_curve(f"{len(rest)} others", rest[0], summed))
    return what, curves


def _curve(label: str, series: Series, counts: Sequence[int]) -> _Curve:
    together = -(-len(counts) // _BARS)
    bars = [counts[n : n + together] for n in range(0, len(counts), together)]
    step = timedelta(seconds=series.bucket_s)
    rates = [sum(bar) * 60 / (len(bar) * series.bucket_s) for bar in bars]
    begins = [series.start + step * n * together for n in range(len(bars))]
    return _Curve(
        label=label,
        times=(*begins, series.start + step * len(counts)),
        per_minute=(*rates, rates[-1]),
    )


def _marks(
    findings: Findings, deploys: Sequence[Deploy], begin: datetime, end: datetime
) -> Iterator[_Mark]:
    """Deploys and suspects within the picture; suspects before it stand at its left edge."""
    inside = [(f"D{n}", d) for n, d in enumerate(deploys, 1) if begin <= d.at <= end]
    for label, deploy in inside[:_MARKS]:
        yield _Mark(f"{label} {_plain(deploy.service)}".strip(), deploy.at, _DEPLOY)
    earlier: list[str] = []
    for place, suspect in enumerate(findings.suspects[:3]):
        if place and suspect.probability < _WORTH:
            continue
        at = suspect.deployed_at or suspect.committed_at
        label = f"{suspect.id} {suspect.probability:.0%}"
        if begin <= at <= end:
            yield _Mark(label, at, _SUSPECT)
        elif at < begin:
            earlier.append(f"{label} ({_ago(begin - at)} earlier)")
    if earlier:
        yield _Mark(", ".join(earlier), begin, _SUSPECT)


def _ago(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def _plain(name: str) -> str:
    """A label that any font has and that is not taken for a formula."""
    text = "".join(c if " " <= c <= "~" and c != "$" else "?" for c in name)
    return text if len(text) <= _LABEL_CHARS else text[: _LABEL_CHARS - 3] + "..."


def _draw_curves(axes: Axes, curves: Sequence[_Curve]) -> None:
    for curve, colour in zip(curves, _COLOURS, strict=False):
        times, values = list(curve.times), list(curve.per_minute)
        axes.step(times, values, where="post", color=colour, linewidth=1.8, label=curve.label)  # type: ignore[arg-type]
        axes.fill_between(times, values, step="post", color=colour, alpha=0.12, linewidth=0)  # type: ignore[arg-type]


def _draw_onset(axes: Axes, findings: Findings, begin: datetime, end: datetime) -> None:
    onset = findings.onset
    if onset is None:
        return
    # A second is thinner than a line on an hour's axis; the band stays visible.
    least = (end - begin) / 300
    low, high = onset.earliest, max(onset.latest, onset.earliest + least)
    axes.axvspan(low, high, color=_ONSET, alpha=0.18, linewidth=0)  # type: ignore[arg-type]
    axes.axvline(onset.at, color=_ONSET, linewidth=1.4)  # type: ignore[arg-type]
    late = onset.at > begin + (end - begin) * 0.7
    axes.annotate(
        f"onset {onset.at:%H:%M:%S}",
        xy=(onset.at, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-6 if late else 6, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        color=_ONSET,
        fontsize=10,
        fontweight="bold",
        bbox={"facecolor": _CARD, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )


def _draw_marks(axes: Axes, marks: Sequence[_Mark], begin: datetime, end: datetime) -> None:
    """Flags above the plot, each on the lowest level where it does not cover its left neighbour."""
    taken = [-1.0, -1.0, -1.0]
    for mark in sorted(marks, key=lambda m: (m.at, m.label)):
        place = (mark.at - begin) / (end - begin)
        level = next((n for n, right in enumerate(taken) if right < place), len(taken) - 1)
        taken[level] = place + _CHAR_SHARE * (len(mark.label) + 2)
        height = 1.015 + 0.06 * level
        axes.axvline(mark.at, color=mark.colour, linewidth=1.2, linestyle=(0, (4, 3)))  # type: ignore[arg-type]
        axes.annotate(
            mark.label,
            xy=(mark.at, height),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            ha="left",
            va="bottom",
            color=mark.colour,
            fontsize=9,
            annotation_clip=False,
        )


def _dress(axes: Axes, begin: datetime, end: datetime, what: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_facecolor(_CARD)
    axes.set_xlim(begin, end)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.margins(y=0.12)
    axes.set_ylabel(f"{what} / min", color=_FAINT, fontsize=10)
    axes.tick_params(colors=_FAINT, labelsize=9.5)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(_GRID)
    axes.legend(
        loc="upper right",
        bbox_to_anchor=(1.0, 1.265),
        ncols=6,
        frameon=False,
        fontsize=9.5,
        labelcolor=_INK,
        handlelength=1.2,
        columnspacing=1.2,
    )
