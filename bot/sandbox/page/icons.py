"""The page's own icons: drawn, so that they do not depend on the fonts of the machine."""

from __future__ import annotations

_PATHS = {
    "archive": "M2 3h12v3H2zM3 7h10v6H3zM6 9h4",
    "file": "M4 1.5h5l3 3v10H4zM9 1.5v3h3M6 8h4M6 11h4",
    "home": "M2 8l6-5.5L14 8M4 7v6.5h8V7",
    "lock": "M4 7h8v6.5H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
    "picture": "M2 3h12v10H2zM2 11l3.5-3.5L9 11l2-2 3 3M10.5 6h.5",
    "reply": "M2 3h12v8H7l-3 3v-3H2z",
    "thumb-down": "M5 2.5h6.5l1.5 5v2H9l.5 4h-2L5 9zM2.5 2.5H5V9H2.5z",
    "thumb-up": "M5 13.5h6.5l1.5-5v-2H9l.5-4h-2L5 7zM2.5 7H5v6.5H2.5z",
    "trash": "M3 4h10M6 4V2.5h4V4M4.5 4l.7 9.5h5.6l.7-9.5",
}


def icon(name: str) -> str:
    """An icon as SVG, of the colour and size of the text around it."""
    return (
        '<svg class="svg" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor"'
        f' stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round"><path d="{_PATHS[name]}"/></svg>'
    )
