"""The driver from another process: `LocalSlack`'s methods over `/_fake/*`."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from bot.sandbox.errors import DriverError

T = TypeVar("T")


class SandboxClient:
    """Does what people do in a local Slack that runs elsewhere on this machine.

    Args:
        page_url: what `incident-responder sandbox` printed as its page, for example `http://127.0.0.1:8065/`.
    """

    def __init__(self, page_url: str) -> None:
        self._http = httpx.Client(base_url=page_url, timeout=40.0, trust_env=False)

    def do(self, action: str, **arguments: object) -> Any:  # noqa: ANN401 - what the action returns, as JSON
        """Call a method of the driver by name, for example `do("post", channel="#alerts", text="hello")`.

        Raises:
            DriverError: the local Slack refused, and why.
        """
        answer = self._http.post(f"/_fake/{action}", json=arguments).json()
        if not answer["ok"]:
            raise DriverError(answer["error"])
        return answer["result"]

    def wait_for(self, look: Callable[[SandboxClient], T | None], timeout_s: float = 10.0) -> T:
        """The first true value of `look(self)`, looked at again after every change.

        Raises:
            TimeoutError: it did not become true in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            version = self._version(-1, 0)
            found = look(self)
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._version(version, left)

    @property
    def connected(self) -> int:
        """How many sockets the app has open."""
        return int(
            self._http.get("/_fake/changes", params={"since": "-1", "wait": "0"}).json()[
                "connected"
            ]
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _version(self, since: int, wait_s: float) -> int:
        given = {"since": str(since), "wait": f"{min(wait_s, 25.0):.3f}"}
        return int(self._http.get("/_fake/changes", params=given).json()["version"])
