"""CloudWatch alarms by Amazon SNS, signed with a certificate that only SNS's own hosts may serve.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapters.kit.records import Alert
from adapters.kit.shape import Json, moment, word
from adapters.kit.webhook import Delivery, RefusedError, posted

_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?", re.ASCII)
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRM = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
OLDEST = timedelta(hours=1)
"""SNS retries for 23 days where nobody configured less; an alarm that old is no news, and could be a replay."""


def verify(delivery: Delivery) -> None:
    """The signature, its certificate's host, the time, and the topic: the secrets list the allowed topic ARNs.

    Raises:
        RefusedError: one of them is not right.
    """
    body = _object(delivery.body)
    if word(body, "TopicArn") not in delivery.secrets:
        raise RefusedError("The topic is not among those configured.")
    at = moment(body.get("Timestamp"))
    if at is None or abs(delivery.now - at) > OLDEST:
        raise RefusedError("The message is too old.")
    where = word(body, "SigningCertURL", limit=1_000)
    if not trusted(where):
        raise RefusedError("The certificate is not served by SNS.")
    key = _key(delivery.fetch(where))
    algorithm = hashes.SHA256() if word(body, "SignatureVersion") == "2" else hashes.SHA1()  # noqa: S303 - version 1 of SNS
    try:
        signature = base64.b64decode(word(body, "Signature", limit=4_000), validate=True)
        key.verify(signature, signed(body), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError):
        raise RefusedError("The signature is wrong.") from None


def trusted(url: str) -> bool:
    """Whether SNS itself serves this address."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.port in {None, 443} and not parts.username
    except ValueError:
        return False
    return plain and _HOST.fullmatch(parts.hostname or "") is not None


def signed(body: Json) -> bytes:
    """The text that SNS signs."""
    names = _NOTICE if word(body, "Type") == "Notification" else _CONFIRM
    parts = (f"{name}\n{body[name]}\n" for name in names if isinstance(body.get(name), str))
    return "".join(parts).encode()


@lru_cache(maxsize=16)
def _key(pem: bytes) -> rsa.RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        raise RefusedError("The certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise RefusedError("The certificate has another kind of key.")
    return key


def _object(raw: bytes) -> Json:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise RefusedError("The body is not JSON.") from None
    if not isinstance(found, dict):
        raise RefusedError("The body is not an object.")
    return found


def event_id(body: Json) -> str:
    """SNS's id of the message: the same for each retry."""
    return word(body, "MessageId")


def confirm(delivery: Delivery, body: Json) -> bool:
    """Accept a subscription that SNS asks about, at SNS's own hosts only; whether it was one."""
    if word(body, "Type") != "SubscriptionConfirmation":
        return False
    where = word(body, "SubscribeURL", limit=2_000)
    if not trusted(where):
        raise RefusedError("The confirmation does not lead to SNS.")
    delivery.fetch(where)
    return True


def read(body: Json) -> Iterator[Alert]:
    """The alarm in the message."""
    if word(body, "Type") != "Notification":
        return
    message = body.get("Message")
    if isinstance(message, str) and message.lstrip().startswith("{"):
        found = posted("AWS Notifications", word(body, "Subject") or "CloudWatch", text=message)
        if found is not None:
            yield found
