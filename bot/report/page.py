"""A report as one HTML file that needs nothing else: no script, no font, no request to anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from html import escape

from bot.report import outline
from bot.report.models import Report
from bot.report.words import moment, one_line, percent, plain

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #2468c8; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .3rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.summary { font-size: 1.1rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; white-space: pre; border-radius: 4px; }
blockquote { margin: .2rem 0 .2rem 1rem; padding-left: .6rem; border-left: 3px solid var(--line); }
.bar { display: inline-block; height: .6rem; background: var(--accent); border-radius: 2px; }
.id { font-weight: 600; white-space: nowrap; } .quiet { opacity: .75; } img { max-width: 100%; }
@media print { body { margin: 0; max-width: none; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(report: Report, tz: tzinfo = UTC, picture: bytes | None = None) -> str:
    """Render the whole report.

    Args:
        picture: PNG of the incident's time line, embedded.
    """
    body = "\n".join(_body(report, tz, picture))
    title = _text(f"Investigation {report.id}: {outline.headline(report)}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(value: str, limit: int = 4_000) -> str:
    return escape(one_line(value, limit))


def _lines(value: str, limit: int = 8_000) -> str:
    return escape(plain(value[: limit * 2])[:limit])


def _link(label: str, url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return f"<code>{_text(label)}</code>"
    return f'<a href="{_text(url)}" rel="noreferrer"><code>{_text(label)}</code></a>'


def _body(report: Report, tz: tzinfo, picture: bytes | None) -> Iterator[str]:
    yield f"<h1>{_text(outline.headline(report))}</h1>"
    yield f'<p class="summary">{_text(report.summary)}</p>'
    yield "<table>"
    for name, value in outline.facts(report, tz):
        yield f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>"
    yield "</table>"
    if picture:
        data = base64.b64encode(picture).decode("ascii")
        yield f'<p><img alt="Errors by service over time" src="data:image/png;base64,{data}"></p>'
    yield from _section("Suspect changes", _suspects(report, tz))
    yield from _section("What was found", _claims(report))
    yield from _section("Log patterns", _patterns(report))
    yield from _section("Timeline", _timeline(report, tz))
    yield from _section("Seen before", _items(outline.similar(one, tz) for one in report.similar))
    yield from _section("Ruled out", _items(report.ruled_out))
    yield from _section(
        "What I could not see", _items(f"{g.system}: {g.reason}" for g in report.gaps)
    )
    yield from _section("Next steps", _items(report.next_steps, tag="ol"))
    told = f"Investigation {report.id} · {outline.footnote(report)}"
    yield f'<hr><p class="quiet">{_text(told)}</p>'


def _section(title: str, body: Iterator[str]) -> Iterator[str]:
    first = next(body, None)
    if first is not None:
        yield f"<section><h2>{title}</h2>"
        yield first
        yield from body
        yield "</section>"


def _suspects(report: Report, tz: tzinfo) -> Iterator[str]:
    if not report.suspects:
        yield "<p>" + outline.no_suspects(report) + "</p>"
        return
    yield "<table><tr><th></th><th>Probability</th><th>Change</th><th>Why</th></tr>"
    for suspect in report.suspects[: outline.SHOWN_SUSPECTS]:
        _, when = outline.suspect_line(suspect, tz)
        terms = "".join(
            f"<li>{t.weight:+.2f} {_text(f'{t.name}: {t.evidence}', 200).rstrip(': ')}</li>"
            for t in outline.top_terms(suspect.terms)
        )
        yield (
            f'<tr id="{_text(suspect.id)}"><td class="id">{_text(suspect.id)}</td>'
            f"<td>{_share(suspect.probability)}</td>"
            f"<td>{_link(suspect.sha[:10], suspect.url)} {_text(suspect.title, 200)}"
            f'<br><span class="quiet">{_text(when)}</span></td><td><ul>{terms}</ul></td></tr>'
        )
    yield f"<tr><td></td><td>{_share(report.none_of_these)}</td><td>none of these</td><td></td></tr></table>"


def _share(value: float) -> str:
    width = max(0.0, min(1.0, value)) * 6
    return f'{percent(value)} <span class="bar" style="width: {width:.2f}rem"></span>'


def _claims(report: Report) -> Iterator[str]:
    if not report.claims:
        return
    yield "<ul>"
    for claim in report.claims:
        quote = f"<blockquote><code>{_text(claim.quote)}</code></blockquote>" if claim.quote else ""
        yield f"<li>{_text(claim.text)} {_cites(claim.cites)}{quote}</li>"
    yield "</ul>"


def _cites(cites: Iterable[str]) -> str:
    return " ".join(f'<a href="#{_text(key)}">{_text(key)}</a>' for key in cites)


def _patterns(report: Report) -> Iterator[str]:
    for pattern in report.patterns[: outline.SHOWN_PATTERNS]:
        yield f'<p id="{_text(pattern.id)}"><span class="id">{_text(pattern.id)}</span> '
        yield f"<code>{_text(pattern.template)}</code><br>"
        yield f'<span class="quiet">{_text(outline.pattern_line(pattern))}</span></p>'
        for example in pattern.examples[: outline.SHOWN_EXAMPLES]:
            yield f'<p class="quiet">{_text(outline.place(example))}</p><pre>{_lines(example.text)}</pre>'


def _timeline(report: Report, tz: tzinfo) -> Iterator[str]:
    if report.timeline:
        yield "<table>"
        for item in report.timeline:
            at = moment(item.at, tz)
            yield f"<tr><td>{at}</td><td>{_text(item.text)} {_cites(item.cites)}</td></tr>"
        yield "</table>"


def _items(items: Iterable[str], tag: str = "ul") -> Iterator[str]:
    told = [f"<li>{_text(item)}</li>" for item in items]
    if told:
        yield f"<{tag}>{''.join(told)}</{tag}>"
