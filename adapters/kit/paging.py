"""Follows the pages of an answer, as far as they lead on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http, Params

MAX_PAGES = 100  # of 100 items each
_NEXT = re.compile(r"<([^<>\s]{1,4000})>\s*;[^,]*\brel=\"?next\"?", re.IGNORECASE)


def linked(http: Http, path: str, params: Params | None = None) -> Iterator[list[Any]]:
    """The JSON list of each page; the next one is where the `Link` header says (RFC 8288).

    Raises:
        AdapterError: an answer is missing, a link leaves the system, or the pages do not end.
    """
    answer = http.get(path, params)
    for _ in range(MAX_PAGES):
        page = answer.json()
        if not isinstance(page, list):
            detail = "answered something else than the list that it documents"
            raise AdapterError(http.system, Reason.BAD_RESPONSE, detail)
        yield page
        found = _NEXT.search(answer.headers.get("link", ""))
        if found is None:
            return
        answer = http.follow(found[1])
    raise endless(http.system)


def endless(system: str) -> AdapterError:
    """The pages lead on and on."""
    detail = "points to ever more pages; ask for a shorter time"
    return AdapterError(system, Reason.BAD_RESPONSE, detail)
