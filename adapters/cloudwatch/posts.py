"""Amazon CloudWatch alarms, as AWS Chatbot (now Amazon Q Developer), Lambda functions and SNS relays post them.

Alarm names are unique within an account's region, so these make the fingerprint.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html and
https://docs.aws.amazon.com/chatbot/latest/adminguide/slack-setup.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from adapters.kit.alert_identity import labelled_targets
from adapters.kit.alert_json import embedded, part, word
from adapters.kit.alert_text import alert, labels
from adapters.kit.alert_times import moment, started
from adapters.kit.records import Alert, AlertState
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    app_ids=("A6L22LZNH",),
    names=("aws chatbot", "amazon q", "cloudwatch", "aws alarm", "aws notification", "aws alert"),
    urls=re.compile(
        r"console\.aws\.amazon\.com/cloudwatch/|console\.amazonaws\.cn/cloudwatch/|#alarmsV2:|#s=Alarms",
        re.IGNORECASE,
    ),
)

_URL_NAME = re.compile(
    r"#alarmsV2:alarm/([^?&\s>]{1,300})|[#&;]alarm=([^&\s>]{1,300})|alarmFilter=[^&\s>]{0,40};name=([^&\s>]{1,300})"
)
_REGION = re.compile(
    r"\b((?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-\d)\b"
)
_PLACE = re.compile(
    r"\bin ((?:US|EU|Asia Pacific|South America|Canada|Middle East|Africa|Europe|AWS GovCloud|China|Israel|Mexico)\b[^\n]{0,40}?\([^()\n]{2,40}\))"
)
_ACCOUNT = re.compile(r"(?<![\d.])(\d{12})(?![\d.])")
_STATES = r"(ALARM|OK|INSUFFICIENT[_ ]DATA)"
_SENTENCES = (
    re.compile(
        rf"\balarm\s[\"'“]?([^\"'”\n]{{1,255}}?)[\"'”]?\s(?:has\s)?(?:changed|transitioned|went|is now|entered|is in)\b[^\n]{{0,80}}?\b(?:to|in|into|the)?\s?{_STATES}\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bchanged (?:state )?from [A-Z_ ]{{2,20}} to {_STATES}\b"),
    re.compile(
        rf"^\W{{0,6}}(?::[\w+-]{{1,40}}:\s?)?\W{{0,4}}{_STATES}\s?:\s?[\"'“]?([^\"'”\n]{{1,255}})[\"'”]?(?: in [A-Z][^\n]{{2,60}})?$",
        re.MULTILINE,
    ),
    re.compile(rf"\({_STATES}\)"),
    re.compile(rf"\b(?:state|status|in)\W{{1,6}}{_STATES}\b", re.IGNORECASE),
)
_CARD = re.compile(r"CloudWatch Alarm\s?\|\s?([^|\n]{1,255})")
_STATE = re.compile(_STATES, re.IGNORECASE)
_STATE_FIELDS = (
    "new state",
    "newstatevalue",
    "current state",
    "alarm state",
    "state",
    "status",
    "new state value",
)


@dataclass(frozen=True, slots=True)
class _Alarm:
    name: str
    state: AlertState
    region: str = ""
    account: str = ""
    data: Mapping[str, object] | None = None


def recognise(message: Message) -> Alert | None:
    """The alarm whose state changed."""
    alarm = _from_json(message) or _from_text(message)
    if alarm is None:
        return None
    attached = {
        **labels(message),
        **{k: v for k, v in (("region", alarm.region), ("account", alarm.account)) if v},
    }
    data = alarm.data or {}
    began = moment(word(data, "StateChangeTime", "timestamp")) if alarm.state == "firing" else None
    dimensions = _dimensions(data)
    return alert(
        message,
        "cloudwatch",
        alarm.state,
        alarm.name,
        key=(
            alarm.region,
            alarm.account,
            alarm.name.casefold(),
            *sorted(dimensions.values()),
            *_resources(message),
        ),
        labels={**attached, **dimensions},
        started_at=began or (started(message) if alarm.state == "firing" else None),
        service=attached.get("service")
        or dimensions.get("ServiceName")
        or dimensions.get("FunctionName")
        or "",
        url=message.link(_URL_NAME),
    )


def _from_json(message: Message) -> _Alarm | None:
    """SNS's message of an alarm, bare or within its envelope, or EventBridge's event."""
    data = embedded(message)
    data = part(data, "Message") or data
    detail = part(data, "detail")
    name = word(data, "AlarmName") or word(detail, "alarmName")
    state = word(data, "NewStateValue") or word(part(detail, "state"), "value")
    if not name or not state:
        return None
    region = _REGION.search(
        " ".join((word(data, "AlarmArn"), word(data, "region"), word(data, "Region")))
    )
    place = region.group(1) if region else word(data, "Region")
    inside = data if word(data, "AlarmName") else {**part(detail, "state"), "Trigger": {}}
    return _Alarm(name, _state(state), place, word(data, "AWSAccountId", "account"), inside)


def _from_text(message: Message) -> _Alarm | None:
    link = message.link(_URL_NAME)
    signed = message.strength(SIGNS)
    body = "\n".join((*(title.label for title in message.titles), message.body))[:4000]
    if not (signed or link or "larm" in body[:400]):
        return None
    card = _CARD.search(body)
    told, sentence_name = _sentence(body)
    names = (
        _linked_name(link),
        message.value("alarm name", "alarmname"),
        card.group(1) if card else "",
        sentence_name,
        message.value("alarm", "name") if signed or link else "",
    )
    named = next(filter(None, names), "").strip(" *\"'")
    state = _stated(message) or told
    if not state and card and ("🚨" in body or ":rotating_light:" in body):
        state = "ALARM"
    if not state or not named:
        return None
    region = _REGION.search(f"{link} {body}")
    place = _PLACE.search(body)
    account = _ACCOUNT.search(
        message.value("account", "account id", "aws account", "awsaccountid")
        or (body if card else "")
    )
    return _Alarm(
        named,
        _state(state),
        region.group(1) if region else place.group(1) if place else "",
        account.group(1) if account else "",
    )


def _stated(message: Message) -> str:
    values = (message.fields.get(name, "").strip() for name in _STATE_FIELDS)
    return next((value for value in values if _STATE.fullmatch(value)), "")


def _sentence(body: str) -> tuple[str, str]:
    """The new state and, where the sentence has it, the alarm's name."""
    for pattern in _SENTENCES:
        found = pattern.search(body)
        if found:
            groups = [group for group in found.groups() if group]
            state = next(group for group in groups if _STATE.fullmatch(group))
            return state, next((group for group in groups if group != state), "")
    return "", ""


def _linked_name(url: str) -> str:
    """The console writes `%20` as `$2520` in the fragment of its addresses."""
    found = _URL_NAME.search(url)
    name = next((group for group in found.groups() if group), "") if found else ""
    return unquote_plus(unquote(name.replace("$25", "%"))) if name else ""


def _state(text: str) -> AlertState:
    return "resolved" if text.casefold() == "ok" else "firing"


def _dimensions(data: Mapping[str, object]) -> dict[str, str]:
    listed = part(data, "Trigger").get("Dimensions")
    found: dict[str, str] = {}
    for item in listed[:30] if isinstance(listed, list) else []:
        if isinstance(item, dict) and (name := word(item, "name", "Name")):
            found[name] = word(item, "value", "Value")
    return found


def _resources(message: Message) -> tuple[str, ...]:
    """Dimensions that a Lambda function wrote into fields; region and account are already known."""
    return tuple(
        t
        for t in labelled_targets(message)
        if not t.startswith(("region=", "monitor=", "env", "location="))
    )
