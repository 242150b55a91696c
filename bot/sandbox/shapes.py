"""The parts of Block Kit and their limits, as data.

Source of the figures: the reference pages under https://docs.slack.dev/reference/block-kit .
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEXT = 3_000
BUTTONS = frozenset({"button", "workflow_button"})
SELECTS = frozenset(
    f"{many}{what}_select"
    for many in ("", "multi_")
    for what in ("static", "external", "users", "conversations", "channels")
)
PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
CHOICES = frozenset({"checkboxes", "radio_buttons"})
WRITTEN = frozenset(
    {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"}
)
INTERACTIVE = (
    BUTTONS
    | SELECTS
    | PICKERS
    | CHOICES
    | WRITTEN
    | {"overflow", "feedback_buttons", "icon_button"}
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What one block or element may hold.

    Args:
        required: members that must be there.
        texts: member -> most characters; the member is a string or a text object.
        plain: members of `texts` that must be `plain_text` objects.
        lists: member -> (fewest, most) items.
        elements: allowed types under `elements`, `element` or `accessory`.
        surfaces: where it may appear.
    """

    required: tuple[str, ...] = ()
    texts: Mapping[str, int] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    lists: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    elements: frozenset[str] = frozenset()
    surfaces: frozenset[str] = frozenset({"message", "modal", "home"})


_MESSAGE = frozenset({"message"})
_RICH = frozenset(
    {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
)
_PLAIN = frozenset({"text"})

BLOCKS: dict[str, Shape] = {
    "section": Shape(
        texts={"text": TEXT},
        lists={"fields": (1, 10)},
        elements=INTERACTIVE | {"image"},
    ),
    "header": Shape(("text",), {"text": 150}, _PLAIN),
    "divider": Shape(),
    "image": Shape(
        ("alt_text",), {"alt_text": 2_000, "title": 2_000, "image_url": TEXT}, frozenset({"title"})
    ),
    "context": Shape(
        ("elements",),
        lists={"elements": (1, 10)},
        elements=frozenset({"image", "mrkdwn", "plain_text"}),
    ),
    "actions": Shape(("elements",), lists={"elements": (1, 25)}, elements=INTERACTIVE),
    "context_actions": Shape(
        ("elements",),
        lists={"elements": (1, 5)},
        elements=frozenset({"feedback_buttons", "icon_button"}),
        surfaces=_MESSAGE,
    ),
    "input": Shape(
        ("label", "element"),
        {"label": 2_000, "hint": 2_000},
        frozenset({"label", "hint"}),
        elements=INTERACTIVE - BUTTONS | {"file_input"},
    ),
    "markdown": Shape(("text",), {"text": 12_000}, surfaces=_MESSAGE),
    "rich_text": Shape(("elements",), elements=_RICH),
    "table": Shape(
        ("rows",), lists={"rows": (1, 100), "column_settings": (0, 20)}, surfaces=_MESSAGE
    ),
    "plan": Shape(("title",), {"title": TEXT}, lists={"tasks": (0, 50)}, surfaces=_MESSAGE),
    "task_card": Shape(("task_id", "title"), {"title": TEXT}, surfaces=_MESSAGE),
    "alert": Shape(("text",), {"text": TEXT}, surfaces=_MESSAGE),
    "card": Shape(texts={"title": 150, "subtitle": 150, "body": 200}, surfaces=_MESSAGE),
    "carousel": Shape(
        ("elements",), lists={"elements": (1, 10)}, elements=frozenset({"card"}), surfaces=_MESSAGE
    ),
    "container": Shape(
        ("child_blocks",),
        {"title": 150, "subtitle": 150},
        lists={"child_blocks": (1, 10)},
        surfaces=_MESSAGE,
    ),
    "data_table": Shape(("caption", "rows"), lists={"rows": (2, 101)}, surfaces=_MESSAGE),
    "data_visualization": Shape(surfaces=_MESSAGE),
    "file": Shape(("external_id", "source"), surfaces=_MESSAGE),
    "video": Shape(
        ("alt_text", "title", "thumbnail_url", "video_url"), {"title": 200}, frozenset({"title"})
    ),
}

_CHOICE_TEXTS = {"placeholder": 150}
_BUTTON = Shape(
    ("text",), {"text": 75, "value": 2_000, "url": TEXT, "accessibility_label": 75}, _PLAIN
)
ELEMENTS: dict[str, Shape] = {
    **{
        one: Shape(texts=_CHOICE_TEXTS, plain=frozenset({"placeholder"}))
        for one in SELECTS | PICKERS | WRITTEN
    },
    "static_select": Shape(
        texts=_CHOICE_TEXTS, lists={"options": (1, 100), "option_groups": (1, 100)}
    ),
    "multi_static_select": Shape(
        texts=_CHOICE_TEXTS, lists={"options": (1, 100), "option_groups": (1, 100)}
    ),
    "checkboxes": Shape(("options",), lists={"options": (1, 10)}),
    "radio_buttons": Shape(("options",), lists={"options": (1, 10)}),
    "overflow": Shape(("options",), lists={"options": (1, 5)}),
    "button": _BUTTON,
    "workflow_button": Shape(("text", "workflow"), {"text": 75}, _PLAIN),
    "icon_button": Shape(("icon", "text"), {"text": 75, "value": 2_000}, _PLAIN),
    "feedback_buttons": Shape(("positive_button", "negative_button")),
    "file_input": Shape(),
    "image": Shape(("alt_text",), {"alt_text": 2_000, "image_url": TEXT}),
    "mrkdwn": Shape(("text",), {"text": TEXT}),
    "plain_text": Shape(("text",), {"text": TEXT}),
    "card": BLOCKS["card"],
    **{one: Shape(("elements",)) for one in _RICH},
}
OPTION = Shape(("text", "value"), {"text": 75, "value": 150, "description": 75})
FEEDBACK_BUTTON = Shape(("text", "value"), {"text": 75, "value": 2_000}, _PLAIN)
CONFIRM = Shape(
    ("title", "text"), {"title": 100, "text": 300, "confirm": 30, "deny": 30}, _PLAIN - {"text"}
)
CELLS = frozenset({"raw_text", "raw_number", "rich_text"})
TASK_STATES = frozenset({"pending", "in_progress", "complete", "error"})
