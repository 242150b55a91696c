"""Clients of AWS's own library, with its retries capped and its failures as `AdapterError`s.

https://docs.aws.amazon.com/boto3/latest/guide/configuration.html; the library is the extra `aws`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic import SecretStr

from adapters.kit.errors import AdapterError, Reason
from adapters.kit.status import reason_of

CONNECT_S: Final = 5
READ_S: Final = 20
ADVICE: Final = "check the credentials, the region, and that logs:FilterLogEvents and cloudwatch:GetMetricData are allowed"
_REASONS: Final = {
    Reason.RATE_LIMITED: ("throttl", "toomanyrequests", "limitexceeded", "requestlimit", "slowdown"),
    Reason.AUTH: (
        "accessdenied", "unrecognizedclient", "invalidclienttokenid", "expiredtoken", "signature", "authfailure",
        "missingauthentication", "unauthorized", "optinrequired", "notauthorized", "accountproblem",
    ),
    Reason.NOT_FOUND: ("resourcenotfound",),
    Reason.UNAVAILABLE: ("serviceunavailable", "internalfailure", "internalserver", "internalservice"),
    Reason.BAD_REQUEST: ("invalidparameter", "validation", "malformed", "missingparameter", "invalidoperation"),
}  # fmt: skip
_SAID: Final = {
    Reason.RATE_LIMITED: "AWS asks us to slow down",
    Reason.AUTH: f"AWS refuses to show this: {ADVICE}",
    Reason.NOT_FOUND: "AWS knows no such thing in this region: check the names in the configuration",
    Reason.UNAVAILABLE: "AWS is not well",
    Reason.BAD_REQUEST: "AWS refused the query",
}


class Access:
    """Whose AWS it is. Empty values leave it to the library: environment, profile, role of the machine."""

    def __init__(
        self, region: str, url: str, role_arn: str, key: str, secret: SecretStr | None
    ) -> None:
        self.region, self._url, self._role_arn, self._key, self._secret = (
            region,
            url,
            role_arn,
            key,
            secret,
        )

    def client(self, system: str, service: str) -> Any:  # noqa: ANN401 - the library is not typed
        """A client of one service.

        Raises:
            AdapterError: the library is not installed, or the role cannot be taken.
        """
        try:
            import boto3  # type: ignore[import-untyped]
            from botocore.config import Config  # type: ignore[import-untyped]
        except ImportError:
            raise AdapterError(
                system,
                Reason.UNAVAILABLE,
                "needs the extra `aws`: pip install incident-responder[aws]",
            ) from None
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
        keys: dict[str, str] = {}
        if self._secret:
            keys = {
                "aws_access_key_id": self._key,
                "aws_secret_access_key": self._secret.get_secret_value(),
            }
        session = boto3.Session(region_name=self.region, **keys)
        endpoint = self._url or None
        with told(system):
            if self._role_arn:
                sts = session.client("sts", config=config, endpoint_url=endpoint)
                taken = sts.assume_role(
                    RoleArn=self._role_arn, RoleSessionName="incident-responder"
                )
                given = taken["Credentials"]
                session = boto3.Session(
                    region_name=self.region,
                    aws_access_key_id=given["AccessKeyId"],
                    aws_secret_access_key=given["SecretAccessKey"],
                    aws_session_token=given["SessionToken"],
                )
            client = session.client(service, config=config, endpoint_url=endpoint)
        client.meta.events.register_first(f"before-parse.{service}.*", _Sound(system))
        return client


class _Sound:
    """Refuses what is no answer of AWS before the library makes an empty one of it."""

    def __init__(self, system: str) -> None:
        self._system = system

    def __call__(self, response_dict: Mapping[str, Any], **_more: object) -> None:
        if response_dict["status_code"] >= 300:
            return
        body = bytes(response_dict["body"])
        if re.match(rb"\s*<(?:!doctype )?html", body[:200], re.IGNORECASE):
            raise AdapterError(
                self._system,
                Reason.AUTH,
                "answered with a web page instead of data: check the url and the proxy",
            )
        kind = response_dict["headers"].get("content-type", "")
        if "cbor" not in kind and not (body.startswith(b"{") and body.rstrip().endswith(b"}")):
            raise AdapterError(
                self._system, Reason.BAD_RESPONSE, "answered with something that is not AWS's"
            )


@contextmanager
def told(system: str) -> Iterator[None]:
    """Failures of the library as `AdapterError`s; its texts hold endpoints and account numbers, so none is kept.

    Raises:
        AdapterError: in place of them.
    """
    from botocore import exceptions  # type: ignore[import-untyped]

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(system, error.response) from None
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    ):
        raise AdapterError(system, Reason.AUTH, f"found no credentials for AWS: {ADVICE}") from None
    except (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError):
        raise AdapterError(system, Reason.TIMEOUT, "AWS did not answer in time") from None
    except (exceptions.HTTPClientError, exceptions.EndpointConnectionError):
        raise AdapterError(
            system, Reason.UNAVAILABLE, "AWS cannot be reached: check the region and the network"
        ) from None
    except (exceptions.ParamValidationError, exceptions.BotoCoreError):
        raise AdapterError(system, Reason.BAD_REQUEST, "AWS's library refused the query") from None


def _refusal(system: str, response: Mapping[str, Any]) -> AdapterError:
    code = str(response.get("Error", {}).get("Code", "")).lower()
    for reason, signs in _REASONS.items():
        if any(sign in code for sign in signs):
            return AdapterError(system, reason, _SAID[reason])
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason, detail = reason_of(status, ADVICE)
    return AdapterError(system, reason, f"{detail} (HTTP {status})")
