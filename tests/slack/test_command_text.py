from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.slack import command_text
from bot.slack.command_text import InvestigateRequest, parse
from bot.slack.subcommand_text import Subcommand, span, subcommand

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


def read(text: str) -> InvestigateRequest:
    return parse(text, ZoneInfo("Europe/Amsterdam"), NOW)


def test_words_are_the_question_and_options_are_taken_out():
    asked = read(
        "checkout 500s service:checkout since:14:00 until:10m repo:shop/checkout head:v1.4"
    )
    assert asked == InvestigateRequest(
        question="checkout 500s",
        service="checkout",
        since=datetime(2026, 11, 21, 13, 0, tzinfo=UTC),
        until=datetime(2026, 11, 21, 15, 20, tzinfo=UTC),
        repo="shop/checkout",
        head="v1.4",
    )


def test_options_may_stand_anywhere_in_any_case():
    asked = read("SINCE:30m why is it slow Service:api")
    assert (asked.question, asked.service) == ("why is it slow", "api")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ('"checkout returns 500s" service:a', "checkout returns 500s"),
        ("“typed on a phone” service:a", "typed on a phone"),
        ("it doesn't answer 'at all' service:a", "it doesn't answer at all"),
        ('"service:b is a word here" service:a', "service:b is a word here"),
        ("TimeoutError: upstream said no service:a", "TimeoutError: upstream said no"),
        ("see https://x.example/a?b=c service:a", "see https://x.example/a?b=c"),
        ("&lt;b&gt; &amp;amp; service:a", "<b> &amp;"),
        ("ask <@U123ABC|ann> in <#C1|ops> service:a", "ask @ann in #ops"),
        ("<https://x.example/a|x.example/a> service:a", "x.example/a"),
        ("تعطل الدفع service:a", "تعطل الدفع"),
    ],
)
def test_what_people_write_is_understood(text, question):
    assert read(text).question == question


@pytest.mark.parametrize("text", ['since:"14:00" x', "since: 14:00 x", "x since:“14:00”"])
def test_a_value_may_be_quoted_or_follow_a_space(text):
    asked = read(text)
    assert (asked.question, asked.since) == ("x", datetime(2026, 11, 21, 13, 0, tzinfo=UTC))


def test_a_date_with_a_space_may_be_quoted():
    assert read('x since:"2026-11-21 14:00"').since == datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


def test_a_service_alone_is_enough():
    assert read("service:checkout") == InvestigateRequest(question="", service="checkout")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Say what is wrong"),
        ("since:30m", "Say what is wrong"),
        ("x since:", "needs a value"),
        ("x since: service:a", "needs a value"),
        ("x since:5m since:6m", "twice"),
        ("x sinse:5m", "Did you mean `since:`"),
        ("x serivce:a", "Did you mean `service:`"),
        ("x since:noon", "cannot read"),
        ("x since:1h until:2h", "must be before"),
        ('"x since:5m', "not closed"),
        ("x head:--upload-pack=evil", "takes a name"),
        ("x repo:a;b", "takes a name"),
        ("x" * 2_001, "longer than"),
    ],
)
def test_a_mistake_is_answered_with_usage_and_example(text, says):
    with pytest.raises(UserError, match="Usage: ") as caught:
        read(text)
    assert says in str(caught.value)
    assert command_text.EXAMPLE in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("help", Subcommand("help")),
        (" STATUS ", Subcommand("status")),
        ("stop", Subcommand("stop")),
        ("stop #42", Subcommand("stop", 42)),
        ("stop 42", Subcommand("stop", 42)),
        ("help me find out why it is slow", None),
        ("stop the bleeding", None),
        ("watch", Subcommand("watch")),
        ("watch out for the queue", None),
        ("list 3", None),
        ("delete #3", Subcommand("delete", 3)),
        ("Mute service:x for:2h", Subcommand("mute", options={"service": "x", "for": "2h"})),
        ("mute the alarm", None),
        ("settings", Subcommand("settings")),
        ("settings watch:on", Subcommand("settings", options={"watch": "on"})),
        ("", None),
    ],
)
def test_subcommands_stand_alone(text, expected):
    assert subcommand(text) == expected


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("x since:30m", False),
        ("x since:14:00", True),
        ("x until:2026-11-21T14:00Z", False),
        ('"x', False),
    ],
)
def test_the_zone_is_asked_for_only_when_it_matters(text, needed):
    assert command_text.needs_zone(text) is needed


def test_mentions_are_found_and_taken_out():
    text = "<@U0BOT> look at this <@U1|ann>"
    assert command_text.mentions(text) == {"U0BOT", "U1"}
    assert command_text.without_mention(text, "U0BOT") == "look at this <@U1|ann>"


@given(st.text(max_size=200))
def test_any_text_is_a_request_or_a_user_error(text):
    try:
        asked = read(text)
    except UserError:
        return
    assert asked.question or asked.service


names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@given(
    words=st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), min_size=1, max_size=8),
    service=names,
    minutes=st.integers(1, 600),
    place=st.integers(0, 8),
)
def test_options_are_found_wherever_they_stand(words, service, minutes, place):
    mixed = [*words[:place], f"service:{service}", f"since:{minutes}m", *words[place:]]
    asked = read(" ".join(mixed))
    assert asked.question == " ".join(words)
    assert asked.service == service
    assert asked.since is not None
    assert (NOW - asked.since).total_seconds() == minutes * 60


@pytest.mark.parametrize("text", ["mute servce:x", "settings colour:red", "unmute for:2h"])
def test_a_subcommand_with_an_option_that_it_lacks_is_explained(text):
    with pytest.raises(UserError, match="has no option"):
        subcommand(text)


@pytest.mark.parametrize("text", ["", "2", "0h", "15d", "soon", "99999999m"])
def test_a_span_that_is_none_is_refused(text):
    with pytest.raises(UserError, match="14d"):
        span(text)


@given(st.text())
def test_any_words_are_a_subcommand_a_question_or_explained(text):
    try:
        found = subcommand(text)
    except UserError:
        return
    assert found is None or found.name
