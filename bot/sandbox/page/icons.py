"""The page's own icons and the commonest emoji: drawn, so that they do not depend on the fonts of the machine."""

from __future__ import annotations

from html import escape

from bot.sandbox.page.emoji import emoji

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


_DISC = "M8 1.2a6.8 6.8 0 1 0 .01 0z"
_SQUARE = "M2.5 1.5h11a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1z"
_BELL = "M8 1.2c3 0 4.3 2 4.3 5 0 2.6.7 4 1.9 5H1.8c1.2-1 1.9-2.4 1.9-5 0-3 1.3-5 4.3-5z"
_PICTURES: dict[str, tuple[tuple[str, str], ...]] = {
    "red_circle": ((_DISC, "#dd2e44"),),
    "large_orange_circle": ((_DISC, "#f4900c"),),
    "large_yellow_circle": ((_DISC, "#fdcb58"),),
    "large_green_circle": ((_DISC, "#6cab4a"),),
    "large_blue_circle": ((_DISC, "#3f88d8"),),
    "white_circle": ((_DISC, "#dfe5ea"),),
    "black_circle": ((_DISC, "#31373d"),),
    "white_check_mark": (
        (_SQUARE, "#5b9b3e"),
        ("M4 8.3l2.7 2.7L12 5.2l1.2 1.2-6.5 7L2.8 9.5z", "#fff"),
    ),
    "x": (
        (
            "M3.3 1.5L8 6.2l4.7-4.7 1.8 1.8L9.8 8l4.7 4.7-1.8 1.8L8 9.8l-4.7 4.7-1.8-1.8L6.2 8 1.5 3.3z",
            "#dd2e44",
        ),
    ),
    "warning": (
        ("M8 1l7.2 13.5H.8z", "#fdcb58"),
        ("M7.2 5.5h1.6l-.2 5H7.4zM7.2 11.5h1.6V13H7.2z", "#31373d"),
    ),
    "eyes": (
        ("M4.3 2.5C6.2 2.5 7.5 5 7.5 8s-1.3 5.5-3.2 5.5S1.1 11 1.1 8s1.3-5.5 3.2-5.5z", "#ccd6dd"),
        (
            "M11.7 2.5c1.9 0 3.2 2.5 3.2 5.5s-1.3 5.5-3.2 5.5S8.5 11 8.5 8s1.3-5.5 3.2-5.5z",
            "#ccd6dd",
        ),
        ("M3.4 5.6a1.6 2.4 0 1 0 .01 0zM10.8 5.6a1.6 2.4 0 1 0 .01 0z", "#31373d"),
    ),
    "rotating_light": (
        ("M3.5 11V7a4.5 4.5 0 0 1 9 0v4z", "#dd2e44"),
        ("M1.8 11.5h12.4V14H1.8z", "#8899a6"),
    ),
    "fire": (
        (
            "M8.2 1c.3 2.5 4.8 4.5 4.8 8.6A5 5 0 0 1 8 15a5 5 0 0 1-5-5.2c0-2.2 1.2-3.7 2-4.3.2 1.2.7 1.8 1.3 2C6 5 6.5 2.5 8.2 1z",
            "#f4900c",
        ),
        (
            "M8.2 8c.3 1.3 2.2 2.2 2.2 4.2A2.4 2.4 0 0 1 8 15a2.4 2.4 0 0 1-2.4-2.7C5.6 10.5 7.5 9.7 8.2 8z",
            "#ffcc4d",
        ),
    ),
    "mag": (
        (
            "M6.7 1.5a5.2 5.2 0 0 1 4.2 8.2l3.9 3.9-1.6 1.6-3.9-3.9a5.2 5.2 0 1 1-2.6-9.8z",
            "#66757f",
        ),
        ("M6.7 3.3a3.4 3.4 0 1 0 .01 0z", "#bbddf5"),
    ),
    "hourglass_flowing_sand": (
        ("M3 1h10v2L9.2 8l3.8 5v2H3v-2l3.8-5L3 3z", "#c69461"),
        ("M5.5 13h5L8 9.7zM6 4h4L8 6.7z", "#ffe8b6"),
    ),
    "bell": ((_BELL, "#ffac33"), ("M6.3 12.2h3.4a1.7 1.7 0 0 1-3.4 0z", "#ffac33")),
    "octagonal_sign": (("M5 1h6l4 4v6l-4 4H5l-4-4V5z", "#dd2e44"),),
    "thumbsup": (
        (
            "M6 6.5L8.7 1c1.6 0 2 1.5 1.5 3l-.7 2h4.3c.9 0 1.4.8 1.2 1.6l-1.3 6c-.2.7-.7 1.2-1.4 1.2H6zM1 6.5h4v8.3H1z",
            "#ffdb5e",
        ),
    ),
    "thumbsdown": (
        (
            "M6 9.5L8.7 15c1.6 0 2-1.5 1.5-3l-.7-2h4.3c.9 0 1.4-.8 1.2-1.6l-1.3-6c-.2-.7-.7-1.2-1.4-1.2H6zM1 1.2h4v8.3H1z",
            "#ffdb5e",
        ),
    ),
}
_SAME = {
    "+1": "thumbsup",
    "-1": "thumbsdown",
    "large_red_circle": "red_circle",
    "mag_right": "mag",
    "hourglass": "hourglass_flowing_sand",
}


def emoji_picture(name: str) -> str:
    """An emoji as SVG where it is drawn here, else its character or `:name:`."""
    parts = _PICTURES.get(_SAME.get(name, name))
    if parts is None:
        return escape(emoji(name))
    paths = "".join(f'<path fill="{colour}" d="{path}"/>' for path, colour in parts)
    return f'<svg class="svg" viewBox="0 0 16 16" role="img" aria-label=":{escape(name)}:">{paths}</svg>'
