"""Secrets and personal data out of every text that leaves the process: Slack, models, pages, exports, logs, terminal.

Replaced: private keys, vendors' keys and tokens, JSON web tokens, `Authorization` and cookie headers, passwords and
other credentials in URLs, command lines, connection strings and in any `key=value`, JSON, YAML, XML or logfmt form,
signatures of signed URLs, e-mail addresses, payment card numbers, and the secrets that the bot itself is configured with.

Kept, because an investigation needs them: shas, uuids, hashes, trace and session ids, hosts, IP addresses, Kubernetes
names, user names, file paths and stack traces. An IP address can be personal data; without it, "which host" has no answer.
"""

from __future__ import annotations

from bot.redact.redactor import WITHHELD, JsonValue, Redactor, protect

__all__ = ["WITHHELD", "JsonValue", "Redactor", "protect", "redact"]


def redact(text: str) -> str:
    """Take secrets out of one text. Fails closed: a text that cannot be redacted is withheld.

    Equal secrets become equal placeholders within the text. Across texts, use one `Redactor`.
    """
    return Redactor().text(text)
