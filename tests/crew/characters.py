"""The characters that play the model: a good analyst, and everybody who should not be trusted with a pager."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tests.crew.scripted import Body, Call, Character, Reply, has_used_tools, role_of, wants_json

ARGUMENTS: Mapping[str, Mapping[str, object]] = {
    "list_patterns": {},
    "show_pattern": {"pattern": "L1"},
    "lines_around": {"pattern": "L1"},
    "search_lines": {"text": "KeyError"},
    "compare_windows": {
        "first_since": "13:40",
        "first_until": "14:00",
        "second_since": "14:05",
        "second_until": "14:25",
    },
    "list_changes": {},
    "show_change": {"change": "C1"},
    "blame_line": {"file": "checkout/price.py", "line": 88},
    "list_metrics": {},
    "query_metric": {"metric": "M1"},
    "list_history": {},
    "look_up": {"record": "R1"},
    "search_history": {"text": "checkout"},
}


def tools_of(body: Body) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", ())]


def said(
    text: str, cites: Sequence[str], *, quote: str | None = None, cause: bool = False
) -> dict[str, object]:
    return {"text": text, "cites": list(cites), "quote": quote, "cause": cause}


def finding(*statements: dict[str, object], suspect: str = "C1") -> str:
    return json.dumps(
        {
            "summary": "Found.",
            "statements": list(statements),
            "suspect": suspect,
            "confidence": 0.8,
        }
    )


def verdict(*claims: dict[str, object], **more: object) -> str:
    given = {
        "conclusion": "likely",
        "confidence": 0.9,
        "summary": "Checkout fails with a KeyError since 14:02:10, most likely because of C1.",
        "culprit": "C1",
        "claims": list(claims),
        "ruled_out": [],
        "next_steps": ["Revert C1."],
    }
    return json.dumps({**given, **more})


GOOD_FINDING = finding(said("checkout raises a KeyError", ["L1"], quote="KeyError: 'currency'"))
GOOD_VERDICT = verdict(
    said("checkout logs the error 1,520 times.", ["L1"], quote="KeyError: 'currency'"),
    said("C1 reads the currency from the order, which lacks it.", ["C1", "L1"], cause=True),
)


def speaking(commander: str, specialist: str = GOOD_FINDING) -> Character:
    """Uses each tool once, then says these."""

    def character(body: Body) -> Reply:
        if tools_of(body) and not has_used_tools(body):
            return Reply(calls=[Call(name, ARGUMENTS[name]) for name in tools_of(body)])
        return Reply(commander if role_of(body) == "Commander" else specialist)

    return character


good = speaking(GOOD_VERDICT)


def always(reply: Reply) -> Character:
    return lambda _body: reply


def once(first: Reply, then: Character) -> Character:
    """Something else at first, for each agent."""
    seen: set[str] = set()

    def character(body: Body) -> Reply:
        role = role_of(body)
        if role in seen:
            return then(body)
        seen.add(role)
        return first

    return character


def circling(body: Body) -> Reply:
    """Wants the same tool for ever."""
    if tools_of(body):
        name = tools_of(body)[0]
        return Reply(calls=[Call(name, ARGUMENTS[name])])
    return good(body) if role_of(body) == "Commander" else Reply("{}" if wants_json(body) else "?")


INVENTED = ("deadbeef12", "T99", "payment-gateway exploded", "87,654", "ghost.py")
inventor = speaking(
    verdict(
        said("Commit deadbeef12 broke it.", ["C1"], cause=True),
        said("See the ticket.", ["T99"]),
        said("The log shows it.", ["L1"], quote="payment-gateway exploded"),
        said("It happened 87,654 times in ghost.py:12.", ["L1"]),
        summary="Commit deadbeef12 broke ghost.py 87,654 times.",
        next_steps=["Revert deadbeef12."],
    ),
    finding(said("It is deadbeef12.", ["C1"]), said("87,654 failures", ["L1"])),
)
