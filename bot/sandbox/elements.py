"""What a person's choice in an interactive element looks like on the wire."""

from __future__ import annotations

from collections.abc import Iterator

from bot.sandbox.errors import DriverError, Json

_ONE = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
_ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_MANY_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})


def interactive(body: Json) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) with an `action_id` in a message or view, attachments and containers included."""
    yield from _in_blocks(body.get("blocks") or [])
    for attachment in body.get("attachments") or []:
        yield from _in_blocks(attachment.get("blocks") or [])


def find(body: Json, action_id: str) -> tuple[Json, Json]:
    """The block and element with this action.

    Raises:
        DriverError: there is none; names those that there are.
    """
    there: list[str] = []
    for block, element in interactive(body):
        if element.get("action_id") == action_id:
            return block, element
        there.append(str(element.get("action_id")))
    raise DriverError(
        f"nothing here has action_id {action_id!r}; there is {', '.join(there) or 'nothing to click'}"
    )


def chosen(element: Json, value: object) -> Json:
    """The members that say what was chosen: `value`, `selected_option`, `selected_users` and so on.

    Args:
        element: the element as the app sent it.
        value: an option's value (or a list of them), a user or channel id, a date, a text; None is the element's
            own value, initial choice or only choice. For feedback buttons `positive` or `negative`.
    """
    kind = element["type"]
    if kind in ("button", "icon_button"):
        given = element.get("value") if value is None else value
        return {"text": element["text"], **({} if given is None else {"value": given})}
    if kind == "feedback_buttons":
        return _feedback(element, value)
    if kind in _ONE_OPTION:
        return {"selected_option": _option(element, value)}
    if kind in _MANY_OPTIONS:
        wanted = value if isinstance(value, list) else [] if value is None else [value]
        initial = element.get("initial_options") or []
        return {
            "selected_options": initial
            if value is None
            else [_option(element, one) for one in wanted]
        }
    name = _ONE.get(kind)
    if name is not None:
        return {name: element.get(name.replace("selected", "initial")) if value is None else value}
    return {"value": element.get("initial_value") if value is None else str(value)}


def is_empty(choice: Json) -> bool:
    """Whether a person has left the element blank."""
    return all(value in (None, "", []) for value in choice.values())


def options(element: Json) -> list[Json]:
    """All options of an element, those in groups included."""
    grouped = [
        one for group in element.get("option_groups") or [] for one in group.get("options", [])
    ]
    return [*(element.get("options") or []), *grouped]


def _feedback(element: Json, value: object) -> Json:
    for name in ("positive", "negative"):
        button: Json = element[f"{name}_button"]
        if value in (name, button.get("value")) or (value is None and name == "positive"):
            return {"text": button["text"], "value": button.get("value")}
    raise DriverError(f"feedback is positive or negative, not {value!r}")


def _option(element: Json, value: object) -> Json | None:
    if value is None:
        initial: Json | None = element.get("initial_option")
        return initial
    for option in options(element):
        if option.get("value") == value or option.get("text", {}).get("text") == value:
            return option
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)}
    there = ", ".join(str(one.get("value")) for one in options(element))
    raise DriverError(f"no option {value!r}; there are {there}")


def _in_blocks(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element
            elif isinstance(element, dict) and element.get("type") == "card":
                yield from _in_blocks([element])
        yield from _in_blocks(block.get("child_blocks") or [])
        yield from (
            (block, one)
            for one in block.get("actions") or []
            if isinstance(one, dict) and "action_id" in one
        )
