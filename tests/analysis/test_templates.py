from __future__ import annotations

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.masking import WILD, mask_one
from bot.analysis.templates import MAX_TOKENS, mine
from tests.analysis.test_masking import LINE

WORDS = st.lists(
    st.lists(st.sampled_from(["user", "failed", "<*>", "in", "login", "eu", "us"]), max_size=6).map(
        " ".join
    ),
    max_size=30,
)


def matches(template: str, text: str) -> bool:
    """Whether `text` is an instance of `template`: `<*>` is any text, a space is any white space."""
    words = (".*?".join(map(re.escape, word.split(WILD))) for word in template.split(" "))
    return re.fullmatch(r"\s*" + r"\s+".join(words) + r"\s*", text, re.DOTALL) is not None


def test_lines_that_differ_in_a_value_are_one_template() -> None:
    users = ["ann", "bob", "cid", "dan", "eve", "fay", "gus"]
    found = mine([f"session opened for user {user} by root" for user in users])
    assert set(found.values()) == {"session opened for user <*> by root"}


def test_few_plain_words_are_constants_and_not_a_wildcard() -> None:
    found = mine(["VM Started successfully now", "VM Paused successfully now"])
    assert len(set(found.values())) == 2


def test_two_status_codes_are_two_templates() -> None:
    codes = [200, 201, 204, 301, 404, 500, 502, 503]
    found = mine([mask_one(f"GET /cart status={code} took 3ms") for code in codes])
    assert len(set(found.values())) == len(codes)


def test_hosts_days_and_units_do_not_split_a_template() -> None:
    lines = [
        "connect proxy.example.com:443 on Mon Nov 9 took 3 ms",
        "connect cdn.other.net:80 on Tue Nov 10 took 4 s",
    ]
    assert len({mine([mask_one(x) for x in lines])[mask_one(x)] for x in lines}) == 1


def test_a_class_name_is_not_a_host() -> None:
    text = "[ERROR] com.shop.cart.CartTest.checkout Time elapsed"
    assert mine([text]) == {text: text}


def test_an_endless_list_is_cut() -> None:
    template = mine(["ids " + "x " * 500])["ids " + "x " * 500]
    assert len(template.split()) == MAX_TOKENS + 1


@given(st.lists(LINE, max_size=12))
@settings(max_examples=150, deadline=None)
def test_templates_match_their_lines(lines: list[str]) -> None:
    for masked, template in mine([mask_one(line) for line in lines]).items():
        assert matches(template, masked)


@given(WORDS, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_lines_does_not_matter(lines: list[str], rng: random.Random) -> None:
    shuffled = rng.sample(lines, len(lines))
    assert mine(lines) == mine(shuffled)
