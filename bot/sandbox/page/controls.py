"""Buttons, menus and inputs as HTML; what happens on use is in `static/page.js`."""

from __future__ import annotations

from html import escape

from bot.sandbox import elements
from bot.sandbox.errors import Json
from bot.sandbox.page.emoji import emoji
from bot.sandbox.page.icons import icon
from bot.sandbox.page.words import Names, flat, mrkdwn, plain

_INPUT_TYPES = {
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
    "number_input": "number",
    "email_text_input": "email",
    "url_text_input": "url",
}


def control(element: Json, names: Names, *, live: bool = True) -> str:
    """An interactive element; `live`: using it tells the app at once (everywhere but in input blocks)."""
    kind = str(element.get("type"))
    if kind in ("button", "workflow_button"):
        return _button(element)
    if kind == "feedback_buttons":
        return _feedback(element)
    if kind == "icon_button":
        face = icon("trash") if element.get("icon") == "trash" else emoji(str(element.get("icon")))
        return _tag(
            "button", element, f"{face} {text(element.get('text'))}", css="icon", act="click"
        )
    if kind == "overflow":
        return _menu(element, live=live, css="overflow")
    if kind in ("checkboxes", "radio_buttons"):
        return _choices(element, names)
    if kind.endswith("_select"):
        return _select(element, names, live=live)
    return _input(element, live=live)


def text(value: object) -> str:
    """A text object, or a string, without markup."""
    return plain(_string(value))


def flat_text(value: object) -> str:
    """The same for attributes and options."""
    return flat(_string(value))


def _string(value: object) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else str(value or "")


def _button(element: Json) -> str:
    style = element.get("style")
    css = f"button {style}" if style in ("primary", "danger") else "button"
    confirm = element.get("confirm")
    ask = ""
    if isinstance(confirm, dict):
        words = " ".join(str(confirm.get(name, {}).get("text", "")) for name in ("title", "text"))
        ask = f' data-confirm="{escape(words)}"'
    if element.get("url"):
        ask += f' data-url="{escape(str(element["url"]))}"'
    return _tag("button", element, text(element.get("text")), css=css, act="click", more=ask)


def _feedback(element: Json) -> str:
    out = []
    for name, face in (("positive", icon("thumb-up")), ("negative", icon("thumb-down"))):
        given = element.get(f"{name}_button") or {}
        more = f' data-value="{name}" title="{flat_text(given.get("text"))}"'
        out.append(
            _tag(
                "button",
                element,
                f"{face} {text(given.get('text'))}",
                css="icon",
                act="click",
                more=more,
            )
        )
    return "".join(out)


def _select(element: Json, names: Names, *, live: bool) -> str:
    kind = str(element["type"])
    if "static" in kind or "external" in kind:
        return _menu(element, live=live)
    people = names.users if "users" in kind else names.channels
    sign = "@" if "users" in kind else "#"
    initial = {str(value) for key, value in element.items() if key.startswith("initial_")}
    options = "".join(
        f'<option value="{escape(key)}"{" selected" if key in initial else ""}>{sign}{escape(name)}</option>'
        for key, name in people.items()
    )
    return _dropdown(element, options, live=live)


def _menu(element: Json, *, live: bool, css: str = "") -> str:
    initial = [element.get("initial_option"), *(element.get("initial_options") or [])]
    chosen = {one.get("value") for one in initial if isinstance(one, dict)}
    options = "".join(
        f'<option value="{escape(str(one.get("value")))}"{" selected" if one.get("value") in chosen else ""}>'
        f"{flat_text(one.get('text'))}</option>"
        for one in elements.options(element)
    )
    return _dropdown(element, options, live=live, css=css)


def _dropdown(element: Json, options: str, *, live: bool, css: str = "") -> str:
    many = " multiple" if str(element["type"]).startswith("multi_") else ""
    hint = "⋯" if css else flat_text(element.get("placeholder")) or "Choose…"
    first = "" if many else f'<option value="">{hint}</option>'
    return _tag(
        "select", element, first + options, css=css, act="choose" if live else "", more=many
    )


def _choices(element: Json, names: Names) -> str:
    kind = "radio" if element["type"] == "radio_buttons" else "checkbox"
    initial = [element.get("initial_option"), *(element.get("initial_options") or [])]
    chosen = {one.get("value") for one in initial if isinstance(one, dict)}
    out = []
    for option in element.get("options") or []:
        value = option.get("value")
        name = escape(str(element.get("action_id", "")))
        words = mrkdwn(str(option.get("text", {}).get("text", "")), names)
        checked = " checked" if value in chosen else ""
        out.append(
            f'<label class="choice"><input type="{kind}" name="{name}" data-action="{name}"'
            f' value="{escape(str(value))}"{checked}> {words}</label>'
        )
    return f'<div class="choices">{"".join(out)}</div>'


def _input(element: Json, *, live: bool) -> str:
    initial = next((value for key, value in element.items() if key.startswith("initial_")), "")
    hint = flat_text(element.get("placeholder"))
    act = "choose" if live else ""
    if element.get("type") == "plain_text_input" and element.get("multiline"):
        return _tag(
            "textarea",
            element,
            escape(str(initial)),
            act=act,
            more=f' placeholder="{hint}" rows="4"',
        )
    kind = _INPUT_TYPES.get(str(element.get("type")), "text")
    more = f' type="{kind}" placeholder="{hint}" value="{escape(str(initial))}"'
    return _tag("input", element, None, act=act, more=more)


def _tag(
    tag: str, element: Json, inner: str | None, *, css: str = "", act: str = "", more: str = ""
) -> str:
    name = escape(str(element.get("action_id", "")))
    attributes = f' data-action="{name}"'
    attributes += f' class="{css}"' if css else ""
    attributes += f' data-act="{act}"' if act else ""
    attributes += ' type="button"' if tag == "button" else ""
    opening = f"<{tag}{attributes}{more}>"
    return opening if inner is None else f"{opening}{inner}</{tag}>"
