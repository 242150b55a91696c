"""The history of the demo's service: a few dozen commits by five people over four weeks, one of them guilty.

Each commit is a list of exact replacements in the files as they were, so that the repository is a real one: diffs,
blame and line numbers in stack traces all agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Change:
    """One commit: when (before the alert), who, what, and its replacements `(path, old, new)`; old "" adds a file."""

    before: timedelta
    author: str
    title: str
    edits: tuple[tuple[str, str, str], ...]
    body: str = ""
    guilty: bool = field(default=False)


def _d(days: float, hours: float = 0, minutes: float = 0) -> timedelta:
    return timedelta(days=days, hours=hours, minutes=minutes)


MAYA, JONAS, AIKO, PRIYA, TOM = (
    "Maya Lindqvist",
    "Jonas Weber",
    "Aiko Tanaka",
    "Priya Nair",
    "Tom Okafor",
)

CHANGES: tuple[Change, ...] = (
    Change(
        _d(27, 3),
        JONAS,
        "Limit a cart to 50 lines",
        (
            (
                "checkout/cart.py",
                'for line in payload["lines"]:',
                'for line in payload["lines"][:50]:',
            ),
        ),
    ),
    Change(
        _d(26, 5),
        AIKO,
        "Add Spain to the tax table",
        (
            (
                "checkout/pricing.py",
                '"NL": Decimal("0.21")}',
                '"NL": Decimal("0.21"), "ES": Decimal("0.21")}',
            ),
        ),
    ),
    Change(
        _d(25, 2),
        PRIYA,
        "Describe how to run the tests",
        (
            (
                "README.md",
                "The checkout of the shop.\n",
                "The checkout of the shop.\n\n## Tests\n\n    pytest\n",
            ),
        ),
    ),
    Change(
        _d(24, 7),
        TOM,
        "Log the number of lines of an order",
        (
            (
                "checkout/api.py",
                "    if not inventory.reserve(order):\n",
                '    log.info("order %s: %d lines", order.id, len(order.lines))\n    if not inventory.reserve(order):\n',
            ),
        ),
    ),
    Change(
        _d(23, 1),
        MAYA,
        "Raise the provider time-out to 5 s",
        (
            ("config/checkout.toml", "timeout_s = 4", "timeout_s = 5"),
            (
                "checkout/provider.py",
                '"https://acquire.example", 4)',
                '"https://acquire.example", 5)',
            ),
        ),
    ),
    Change(
        _d(21, 4),
        JONAS,
        "Test that a foreign voucher gives nothing",
        (
            (
                "tests/test_pricing.py",
                'Decimal("5.00")\n',
                'Decimal("5.00")\n\n\ndef test_other_vouchers_give_nothing():\n    assert pricing.discount("X", Decimal(50)) == 0\n',
            ),
        ),
    ),
    Change(
        _d(20, 6),
        AIKO,
        "Bump httpx to 0.28.0",
        (("requirements.txt", "httpx==0.27.2", "httpx==0.28.0"),),
    ),
    Change(
        _d(19, 2),
        PRIYA,
        "Reserve stock in one place",
        (
            (
                "checkout/inventory.py",
                "def stock(sku):\n",
                'def release(order):\n    log.info("released order %s", order.id)\n\n\ndef stock(sku):\n',
            ),
        ),
    ),
    Change(
        _d(18, 3),
        TOM,
        "Release stock when the payment fails",
        (
            (
                "checkout/api.py",
                "    receipt = payments.charge(order, total)\n",
                (
                    "    try:\n        receipt = payments.charge(order, total)\n    except payments.Declined:\n"
                    '        inventory.release(order)\n        return {"error": "declined"}, 402\n'
                ),
            ),
            (
                "checkout/payments.py",
                "def charge(order, total):",
                'class Declined(Exception):\n    """The bank said no."""\n\n\ndef charge(order, total):',
            ),
        ),
    ),
    Change(
        _d(17, 8),
        MAYA,
        "Name the receipt in the refund log",
        (
            (
                "checkout/payments.py",
                "def refund(receipt):\n",
                'def refund(receipt):\n    log.info("refunding %s", receipt.id)\n',
            ),
        ),
    ),
    Change(
        _d(16, 2),
        JONAS,
        "Document the configuration",
        (("README.md", "## Tests", "## Configuration\n\nSee `config/checkout.toml`.\n\n## Tests"),),
    ),
    Change(
        _d(15, 5),
        AIKO,
        "Round totals to cents",
        (
            (
                "checkout/pricing.py",
                "    return amount\n\n\ndef discount",
                '    return amount.quantize(Decimal("0.01"))\n\n\ndef discount',
            ),
        ),
    ),
    Change(
        _d(14, 1),
        PRIYA,
        "Keep connections to the provider alive",
        (
            (
                "checkout/provider.py",
                "timeout=timeout_s)",
                "timeout=timeout_s, limits=httpx.Limits(max_keepalive_connections=20))",
            ),
        ),
    ),
    Change(
        _d(13, 4),
        TOM,
        "Two retries are enough: write down why",
        (
            (
                "config/checkout.toml",
                "retries = 2\n",
                "retries = 2  # the provider asks for no more\n",
            ),
        ),
    ),
    Change(
        _d(12, 6),
        MAYA,
        "Refuse a voucher longer than 40 characters",
        (
            (
                "checkout/cart.py",
                'voucher=payload.get("voucher", ""))',
                'voucher=payload.get("voucher", "")[:40])',
            ),
        ),
    ),
    Change(
        _d(11, 2),
        JONAS,
        "Add Italy to the tax table",
        (
            (
                "checkout/pricing.py",
                '"ES": Decimal("0.21")}',
                '"ES": Decimal("0.21"), "IT": Decimal("0.22")}',
            ),
        ),
    ),
    Change(
        _d(10, 7),
        AIKO,
        "Bump psycopg to 3.2.3",
        (("requirements.txt", "psycopg==3.2.1", "psycopg==3.2.3"),),
    ),
    Change(
        _d(9, 3),
        PRIYA,
        "Warn when stock runs low",
        (
            (
                "checkout/inventory.py",
                "    return True\n",
                '        if stock(line["sku"]) < 5:\n            log.warning("stock of %s is low", line["sku"])\n    return True\n',
            ),
        ),
    ),
    Change(
        _d(8, 5),
        TOM,
        "Say which order is refused for stock",
        (
            (
                "checkout/api.py",
                '"order %s: not enough stock"',
                '"order %s refused: not enough stock"',
            ),
        ),
    ),
    Change(
        _d(7, 2),
        MAYA,
        "Test rounding",
        (
            (
                "tests/test_pricing.py",
                "from checkout import pricing\n",
                'from checkout import pricing\n\n\ndef test_rounding():\n    assert Decimal("1.005").quantize(Decimal("0.01")) == Decimal("1.00")\n',
            ),
        ),
    ),
    Change(
        _d(6, 6),
        JONAS,
        "Read the provider's address from the configuration",
        (
            (
                "checkout/provider.py",
                'def client():\n    return Client("https://acquire.example", 5)',
                'BASE_URL = "https://acquire.example"\n\n\ndef client():\n    return Client(BASE_URL, 5)',
            ),
        ),
    ),
    Change(
        _d(5, 4),
        AIKO,
        "Allow 60 lines in a cart",
        (
            ("checkout/cart.py", '["lines"][:50]', '["lines"][:60]'),
            ("config/checkout.toml", "max_items = 50", "max_items = 60"),
        ),
    ),
    Change(
        _d(4, 3),
        PRIYA,
        "Add a health endpoint",
        (
            (
                "checkout/api.py",
                "def post_checkout(request):",
                'def get_health(_request):\n    return {"status": "ok"}, 200\n\n\ndef post_checkout(request):',
            ),
        ),
    ),
    Change(
        _d(3, 2),
        TOM,
        "Add Portugal to the tax table",
        (
            (
                "checkout/pricing.py",
                '"IT": Decimal("0.22")}',
                '"IT": Decimal("0.22"), "PT": Decimal("0.23")}',
            ),
        ),
    ),
    Change(
        _d(2, 6),
        MAYA,
        "Bump flask to 3.1.1",
        (("requirements.txt", "flask==3.1.0", "flask==3.1.1"),),
    ),
    Change(
        _d(1, 8),
        JONAS,
        "Log declined payments at warning",
        (
            (
                "checkout/api.py",
                "        inventory.release(order)\n",
                '        log.warning("order %s declined", order.id)\n        inventory.release(order)\n',
            ),
        ),
    ),
    Change(
        _d(0, 20),
        AIKO,
        "Vouchers of the winter sale give 15 %",
        (
            (
                "checkout/pricing.py",
                'return amount * Decimal("0.10") if voucher.startswith("TEN") else Decimal(0)',
                'if voucher.startswith("WINTER"):\n        return amount * Decimal("0.15")\n    return amount * Decimal("0.10") if voucher.startswith("TEN") else Decimal(0)',
            ),
        ),
    ),
    Change(
        _d(0, 2, 10),
        PRIYA,
        "Send the buyer's country to the payment provider",
        (
            (
                "checkout/payments.py",
                "    session = client().session()\n    log.debug",
                "    country = order.shipping_address.country\n    session = client().session()\n    log.debug",
            ),
            ("checkout/payments.py", 'currency="EUR")', 'currency="EUR", country=country)'),
        ),
        body="The provider asks for the buyer's country from this month on.\nUse the one of the shipping address.",
        guilty=True,
    ),
    Change(
        _d(0, 1, 55),
        TOM,
        "Describe the health endpoint",
        (("README.md", "## Tests", "## Health\n\n`GET /health` answers 200.\n\n## Tests"),),
    ),
    Change(
        _d(0, 1, 40),
        MAYA,
        "Raise the cart limit in the test data",
        (
            (
                "tests/test_pricing.py",
                "def test_rounding():",
                "MAX_LINES = 60\n\n\ndef test_rounding():",
            ),
        ),
    ),
    Change(
        _d(0, 1, 25),
        JONAS,
        "Keep 30 idle connections to the provider",
        (("checkout/provider.py", "max_keepalive_connections=20", "max_keepalive_connections=30"),),
    ),
    Change(
        _d(0, 1, 5),
        AIKO,
        "Say low stock once per order",
        (
            (
                "checkout/inventory.py",
                '            log.warning("stock of %s is low", line["sku"])\n',
                '            log.warning("stock of %s is low", line["sku"])\n            break\n',
            ),
        ),
    ),
)
