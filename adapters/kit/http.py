"""The one way over HTTP to a vendor: deadlines, retries, limits, guards and errors, so that vendor files hold none.

A vendor's adapter builds one `Http` and asks it. Every failure is an `AdapterError` whose text holds neither a
secret nor a response body. Reads are repeated within a budget; nothing here ever acts on a system.
"""

from __future__ import annotations

import json
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx
import orjson
from pydantic import SecretStr

from adapters.kit.answer import Answer
from adapters.kit.breaker import Breaker
from adapters.kit.cache import Cache, current
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.status import Reset, reason_of, retry_after_s

CONNECT_S = 5.0
READ_S = 20.0
CALL_S = 30.0
"""One call with all its repetitions and waits takes no longer."""
TRIES = 3
MAX_BYTES = 32 * 1024 * 1024
CONCURRENCY = 4
SHARED_BYTES = 32 * 1024 * 1024
CLOSED_WINDOW_S = 300.0
"""How long an answer about the past, which cannot change any more, is remembered across investigations."""
INVESTIGATION_S = 900.0

Params = Mapping[str, str | int | float | bool | Sequence[str]]
Header = str | SecretStr | Callable[[], SecretStr]

_AUTH = httpx.USE_CLIENT_DEFAULT

_CACHE: Cache[Answer] = Cache(SHARED_BYTES)


class Http:
    """One configured source's connection to its system. Thread-safe; opens nothing before the first call.

    Args:
        system: the source's name, for errors.
        base_url: what paths are joined to; cursors and redirects must stay on its scheme, host and port.
        headers: sent with every call; secret values are `SecretStr`, those that expire are asked for each time.
        auth: user and password for HTTP Basic.
        hosts: further hosts that an absolute URL may name (`follow`); credentials are never sent there.
        verify: False only where the operator says so; or the path of a CA bundle.
        advice: what to do when the credentials are refused: which permission to grant.
        reset: reads from the answer's headers how many seconds to wait, where `Retry-After` is not used.
    """

    def __init__(  # noqa: PLR0913 - what differs between vendors
        self,
        system: str,
        base_url: str,
        *,
        headers: Mapping[str, Header] | None = None,
        auth: tuple[str, SecretStr] | None = None,
        hosts: Sequence[str] = (),
        verify: bool | str = True,
        advice: str = "",
        reset: Reset | None = None,
        concurrency: int = CONCURRENCY,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self.base_url = base_url.rstrip("/") + "/"
        self.breaker = breaker or Breaker()
        self._headers = dict(headers or {})
        self._auth = auth
        self._hosts = tuple(hosts)
        self._verify = verify
        self._advice = advice
        self._reset = reset
        self._places = threading.BoundedSemaphore(concurrency)
        self._clock = clock
        self._sleep = sleep
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    # --- asking ---

    def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        closed: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Read `path`. `closed`: the answer is about the past and may be remembered across investigations.

        Raises:
            AdapterError: no usable answer within `CALL_S`.
        """
        request = _Request("GET", self._url(path), params, None, dict(headers or {}), max_bytes)
        return self._cached(request, closed=closed)

    def query(  # noqa: PLR0913 - the parts of a request
        self,
        path: str,
        body: object = None,
        *,
        form: Mapping[str, str] | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        closed: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Read by POST: for search endpoints that take their query in a body. Never for anything that acts.

        Raises:
            AdapterError: no usable answer within `CALL_S`.
        """
        given = dict(headers or {})
        content: bytes | None = None
        if form is not None:
            content = str(httpx.QueryParams(dict(form))).encode()
            given["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            content = orjson.dumps(body)
            given.setdefault("Content-Type", "application/json")
        request = _Request("POST", self._url(path), params, content, given, max_bytes)
        return self._cached(request, closed=closed)

    def follow(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Read an absolute URL that the system itself gave us (a cursor, a log's address).

        Raises:
            AdapterError: BAD_RESPONSE when it leaves the system, besides the errors of `get`.
        """
        target = urljoin(self.base_url, url)
        own = self._check_origin(target)
        return self._cached(
            _Request("GET", target, None, None, dict(headers or {}), MAX_BYTES, own=own),
            closed=False,
        )

    def redirected(self, path: str) -> str | None:
        """Where a GET of `path` redirects to, checked to be one of `hosts`; None when it does not redirect."""
        request = _Request("GET", self._url(path), None, None, {}, MAX_BYTES, redirect=True)
        answer = self._asked(request)
        target: str | None = answer.headers.get("location")
        if target is None:
            return None
        absolute = urljoin(str(request.url), target)
        self._check_origin(absolute)
        return absolute

    @contextmanager
    def stream(self, url: str, *, max_bytes: int = MAX_BYTES) -> Iterator[Iterator[bytes]]:
        """Read an absolute URL of the system or of `hosts` piece by piece; ends silently at `max_bytes`.

        Raises:
            AdapterError: it leaves the system, or gives no answer.
        """
        target = urljoin(self.base_url, url)
        own = self._check_origin(target)
        deadline = self._clock() + CALL_S * 2
        headers = self._own_headers() if own else {}
        try:
            with (
                self._places,
                self._opened().stream(
                    "GET", target, headers=headers, auth=_AUTH if own else None
                ) as response,
            ):
                self._raise_for(response)
                yield self._pieces(response, max_bytes, deadline)
        except httpx.HTTPError as error:
            raise self._broken(error) from None
        except _Failed as failed:
            raise failed.error from None

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    # --- inside ---

    def _url(self, path: str) -> str:
        """A path is appended, never resolved: `..`, `//host` and schemes in it stay text."""
        return self.base_url + path.lstrip("/")

    def _check_origin(self, url: str) -> bool:
        """Whether the URL is the system's own; one of `hosts` is not, but allowed.

        Raises:
            AdapterError: it is neither.
        """
        parts, base = urlsplit(url), urlsplit(self.base_url)
        if (parts.scheme, parts.hostname, parts.port) == (base.scheme, base.hostname, base.port):
            return True
        secure = parts.scheme == "https" and parts.port in {None, 443} and not parts.username
        host = (parts.hostname or "").lower()
        if secure and any(
            host == h or (h.startswith("*.") and host.endswith(h[1:])) for h in self._hosts
        ):
            return False
        raise AdapterError(
            self.system, Reason.BAD_RESPONSE, "points to another host, which is not followed"
        )

    def _cached(self, request: _Request, *, closed: bool) -> Answer:
        key = (self.system, self.base_url, *request.key)
        run = current()
        known = run.get(key) if run is not None else None
        found = known if isinstance(known, Answer) else _CACHE.get(key) if closed else None
        if found is not None:
            return found
        answer = self._asked(request)
        size = len(answer.content)
        if run is not None:
            run.put(key, answer, size, INVESTIGATION_S)
        if closed:
            _CACHE.put(key, answer, size, CLOSED_WINDOW_S)
        return answer

    def _asked(self, request: _Request) -> Answer:
        deadline = self._clock() + CALL_S
        for attempt in range(1, TRIES + 1):
            if not self.breaker.allows():
                raise AdapterError(
                    self.system,
                    Reason.UNAVAILABLE,
                    "failed several times in a row and is left alone for a while",
                )
            try:
                answer = self._once(request, deadline)
            except _Failed as failed:
                self._judge(failed.error.reason)
                wait = self._wait_s(failed, attempt)
                if attempt == TRIES or wait is None or self._clock() + wait >= deadline:
                    raise failed.error from None
                self._sleep(wait)
            except BaseException:
                self.breaker.given_back()
                raise
            else:
                self.breaker.succeeded()
                return answer
        raise AssertionError  # the loop returns or raises

    def _judge(self, reason: Reason) -> None:
        """A refusal is an answer of a healthy system; silence and 5xx are not."""
        if reason in {Reason.TIMEOUT, Reason.UNAVAILABLE}:
            self.breaker.failed()
        else:
            self.breaker.succeeded()

    def _wait_s(self, failed: _Failed, attempt: int) -> float | None:
        if not failed.error.reason.retryable:
            return None
        if failed.wait_s is not None:
            return failed.wait_s
        return random.uniform(0, min(8.0, 0.4 * 2**attempt))

    def _once(self, request: _Request, deadline: float) -> Answer:
        try:
            with (
                self._place(deadline),
                self._opened().stream(
                    request.method,
                    request.url,
                    params=request.params,
                    content=request.content,
                    headers={**(self._own_headers() if request.own else {}), **request.headers},
                    auth=_AUTH if request.own else None,
                    timeout=httpx.Timeout(
                        min(READ_S, max(0.1, deadline - self._clock())), connect=CONNECT_S
                    ),
                ) as response,
            ):
                if not (request.redirect and response.is_redirect):
                    self._raise_for(response)
                content = b"".join(self._pieces(response, request.max_bytes, deadline, whole=True))
        except httpx.HTTPError as error:
            raise _Failed(self._broken(error)) from None
        except AdapterError as error:
            raise _Failed(error) from None
        return Answer(self.system, response.status_code, response.headers, content)

    @contextmanager
    def _place(self, deadline: float) -> Iterator[None]:
        if not self._places.acquire(timeout=max(0.1, deadline - self._clock())):
            raise AdapterError(self.system, Reason.TIMEOUT, "had no free connection in time")
        try:
            yield
        finally:
            self._places.release()

    def _pieces(
        self, response: httpx.Response, max_bytes: int, deadline: float, *, whole: bool = False
    ) -> Iterator[bytes]:
        """The body, decoded, under the total deadline (httpx's own time-out is per read)."""
        left = max_bytes
        for piece in response.iter_bytes():
            if self._clock() > deadline:
                raise AdapterError(
                    self.system, Reason.TIMEOUT, "was still answering at the deadline"
                )
            if len(piece) > left and whole:
                raise AdapterError(
                    self.system,
                    Reason.BAD_RESPONSE,
                    f"answered with more than {max_bytes // 1024 // 1024} MiB; ask for less at once",
                )
            yield piece[:left]
            left -= len(piece)
            if left <= 0 and not whole:
                return

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    verify=self._verify,
                    timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
                    limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
                    follow_redirects=False,
                    auth=(self._auth[0], self._auth[1].get_secret_value()) if self._auth else None,
                    headers={"User-Agent": "incident-responder", "Accept": "application/json"},
                    trust_env=True,
                )
                weakref.finalize(self, self._client.close)  # nobody has to remember to
            return self._client

    def _own_headers(self) -> dict[str, str]:
        now = {n: v() if callable(v) else v for n, v in self._headers.items()}
        return {n: v.get_secret_value() if isinstance(v, SecretStr) else v for n, v in now.items()}

    def _broken(self, error: httpx.HTTPError) -> AdapterError:
        """The texts of httpx may hold URLs with tokens in them, so none of them is kept."""
        host = urlsplit(self.base_url).hostname or "the system"
        if isinstance(error, httpx.TimeoutException):
            return AdapterError(self.system, Reason.TIMEOUT, f"{host} did not answer in time")
        if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
            return AdapterError(self.system, Reason.UNAVAILABLE, f"{host} broke off its answer")
        return AdapterError(
            self.system,
            Reason.UNAVAILABLE,
            f"{host} cannot be reached: check the URL and the network",
        )

    def _raise_for(self, response: httpx.Response) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        wait_s = retry_after_s(response.headers, self._reset)
        limited = status == 403 and wait_s is not None  # how GitHub says that a limit is used up
        reason, detail = reason_of(429 if limited else status, self._advice)
        error = AdapterError(self.system, reason, f"{detail} (HTTP {status})")
        if reason in {Reason.RATE_LIMITED, Reason.UNAVAILABLE}:
            raise _Failed(error, wait_s)
        raise error


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    params: Params | None
    content: bytes | None
    headers: dict[str, str]
    max_bytes: int
    redirect: bool = False
    own: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        params = json.dumps(self.params, sort_keys=True, default=str) if self.params else ""
        body = self.content.decode("utf-8", errors="replace") if self.content else ""
        return self.method, self.url, params, body, json.dumps(self.headers, sort_keys=True)


class _Failed(Exception):  # noqa: N818 - control flow inside this module only
    """One attempt failed; `wait_s` is what the system asked us to wait."""

    def __init__(self, error: AdapterError, wait_s: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.wait_s = wait_s
