"""What a system answered, whole and checked for being data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from adapters.kit.errors import AdapterError, Reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, whole. `system` is for the errors of reading it."""

    system: str
    status: int
    headers: httpx.Headers
    content: bytes

    def json(self) -> Any:  # noqa: ANN401 - what it is, the vendor's `_parse` says
        """The body as JSON.

        Raises:
            AdapterError: it is something else: BAD_RESPONSE, or AUTH when it is a sign-in page.
        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            pass
        if self.content[:512].lstrip()[:1] == b"<":
            raise AdapterError(
                self.system,
                Reason.AUTH,
                "answered with a web page instead of data: the URL or the credentials are not the API's",
            )
        raise AdapterError(
            self.system, Reason.BAD_RESPONSE, "answered with something that is not JSON"
        )

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace")
