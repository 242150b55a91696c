"""The demo's service as it was four weeks ago: a small checkout in Python."""

from __future__ import annotations

BASE: dict[str, str] = {
    "README.md": "# shop\n\nThe checkout of the shop.\n",
    "requirements.txt": "flask==3.1.0\nhttpx==0.27.2\npsycopg==3.2.1\n",
    "config/checkout.toml": '[payments]\nprovider = "acquire"\ntimeout_s = 4\nretries = 2\n\n[cart]\nmax_items = 50\n',
    "checkout/__init__.py": "",
    "checkout/api.py": '''"""HTTP entry points of the checkout."""

import logging

from checkout import cart, inventory, payments, pricing

log = logging.getLogger("checkout")


def post_checkout(request):
    order = cart.to_order(request.json)
    if not inventory.reserve(order):
        log.warning("order %s: not enough stock", order.id)
        return {"error": "out_of_stock"}, 409
    total = pricing.total(order)
    receipt = payments.charge(order, total)
    log.info("order %s paid, receipt %s", order.id, receipt.id)
    return {"receipt": receipt.id}, 201
''',
    "checkout/cart.py": '''"""From what the browser sends to an order."""

from dataclasses import dataclass, field


@dataclass
class Order:
    id: str
    lines: list = field(default_factory=list)
    shipping_address: object = None
    voucher: str = ""


def to_order(payload):
    order = Order(id=payload["id"], voucher=payload.get("voucher", ""))
    for line in payload["lines"]:
        order.lines.append(line)
    order.shipping_address = payload.get("shipping_address")
    return order
''',
    "checkout/pricing.py": '''"""Totals, vouchers and taxes."""

from decimal import Decimal

TAX = {"DE": Decimal("0.19"), "FR": Decimal("0.20"), "NL": Decimal("0.21")}


def total(order):
    amount = sum((Decimal(line["price"]) * line["quantity"] for line in order.lines), Decimal(0))
    if order.voucher:
        amount -= discount(order.voucher, amount)
    return amount


def discount(voucher, amount):
    return amount * Decimal("0.10") if voucher.startswith("TEN") else Decimal(0)
''',
    "checkout/payments.py": '''"""Charging cards through the payment provider."""

import logging

from checkout.provider import client

log = logging.getLogger("checkout.payments")


def charge(order, total):
    """Charge the order once; the provider deduplicates by order id."""
    session = client().session()
    log.debug("charging order %s", order.id)
    return session.charge(reference=order.id, amount=str(total), currency="EUR")


def refund(receipt):
    return client().session().refund(receipt.id)
''',
    "checkout/provider.py": '''"""The payment provider's client."""

import httpx


class Client:
    def __init__(self, base_url, timeout_s):
        self._http = httpx.Client(base_url=base_url, timeout=timeout_s)

    def session(self):
        return Session(self._http)


class Session:
    def __init__(self, http):
        self._http = http

    def charge(self, **fields):
        return self._http.post("/charges", json=fields).json()

    def refund(self, receipt_id):
        return self._http.post(f"/refunds/{receipt_id}").json()


def client():
    return Client("https://acquire.example", 4)
''',
    "checkout/inventory.py": '''"""Stock reservations."""

import logging

log = logging.getLogger("checkout.inventory")


def reserve(order):
    for line in order.lines:
        if line["quantity"] > stock(line["sku"]):
            return False
    return True


def stock(sku):
    return 25
''',
    "tests/test_pricing.py": """from decimal import Decimal

from checkout import pricing


def test_voucher_takes_ten_percent():
    assert pricing.discount("TEN-2024", Decimal(50)) == Decimal("5.00")
""",
}
