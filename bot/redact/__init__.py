"""Secrets and personal data out of every text that leaves the process: Slack, models, pages, exports, logs, terminal.

Replaced: private keys, vendors' keys and tokens, JSON web tokens, `Authorization` and cookie headers, passwords and
other credentials in URLs, command lines, connection strings and in any `key=value`, JSON, YAML, XML or logfmt form,
signatures of signed URLs, e-mail addresses, payment card numbers, and the secrets that the bot itself is configured with.

Kept, because an investigation needs them: shas, uuids, hashes, trace and session ids, hosts, IP addresses, Kubernetes
names, user names, file paths and stack traces. An IP address can be personal data; without it, "which host" has no answer.
"""

from __future__ import annotations

from bot.redact.redactor import WITHHELD, JsonValue, Redactor, protect
from bot.redact.rules import ANNOUNCES, ANNOUNCES_TORN

_KEY_LINE, _KEY_SLASHES = 60, 6
"""A line of a key is this long and of base64, in which a path would have more slashes."""

__all__ = ["WITHHELD", "JsonValue", "Redactor", "announces", "protect", "redact"]


def announces(masked: str) -> bool:
    """Whether a text of which digits were masked may hold pieces of a secret, so that its source must be redacted."""
    lowered = masked.lower()
    if ANNOUNCES.search(lowered) or ANNOUNCES_TORN.search(lowered):
        return True
    return any(
        len(word) >= _KEY_LINE and "." not in word and word.count("/") <= _KEY_SLASHES
        for word in masked.split()
    )


def redact(text: str) -> str:
    """Take secrets out of one text. Fails closed: a text that cannot be redacted is withheld.

    Equal secrets become equal placeholders within the text. Across texts, use one `Redactor`.
    """
    return Redactor().text(text)
