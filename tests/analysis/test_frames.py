from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.findings import Frame
from bot.analysis.frames import MAX_FRAMES, frames

Row = tuple[int, str, int | None, str, bool, str]


def seen(text: str) -> list[Row]:
    """Depth, file, line, function, in-app and exception of every frame."""
    return [(f.depth, f.file, f.line, f.function, f.in_app, f.exception) for f in frames(text)]


PYTHON = """Traceback (most recent call last):
  File "/srv/app/pay/views.py", line 12, in checkout
    charge(card)
  File "/usr/lib/python3.11/site-packages/stripe/client.py", line 90, in charge
    raise CardError(code)
stripe.error.CardError: declined

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/pay/main.py", line 7, in handle
    fail()
KeyError: 'card'
"""


def test_python_prints_the_innermost_frame_last_and_the_exception_below():
    assert seen(PYTHON) == [
        (1, "/srv/app/pay/views.py", 12, "checkout", True, "stripe.error.CardError"),
        (
            0,
            "/usr/lib/python3.11/site-packages/stripe/client.py",
            90,
            "charge",
            False,
            "stripe.error.CardError",
        ),
        (0, "/srv/app/pay/main.py", 7, "handle", True, "KeyError"),
    ]


def test_java_causes_are_a_chain_and_packages_become_paths():
    text = """2026-01-01 ERROR Exception in thread "main" com.shop.OrderException: no order
\tat com.shop.order.Orders.find(Orders.java:41)
\tat com.shop.order.Orders$Cache.load(Orders.java:77)
\tat java.base/java.lang.Thread.run(Thread.java:829)
\t... 3 more
Caused by: java.lang.NullPointerException
\tat com.shop.db.Row.get(Row.kt:9)
\tat com.shop.db.Native.call(Native Method)
"""
    assert seen(text) == [
        (0, "com/shop/order/Orders.java", 41, "Orders.find", True, "com.shop.OrderException"),
        (1, "com/shop/order/Orders.java", 77, "Orders$Cache.load", True, "com.shop.OrderException"),
        (2, "java/lang/Thread.java", 829, "Thread.run", False, "com.shop.OrderException"),
        (0, "com/shop/db/Row.kt", 9, "Row.get", True, "java.lang.NullPointerException"),
        (1, "com/shop/db/Native.java", None, "Native.call", True, "java.lang.NullPointerException"),
    ]


CASES: dict[str, tuple[str, Row]] = {
    "go panic": (
        (
            "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n"
            "main.(*Cart).total(0xc000)\n\t/srv/shop/cart.go:31 +0x1d\n"
        ),
        (0, "/srv/shop/cart.go", 31, "main.(*Cart).total", True, "panic"),
    ),
    "go runtime": (
        "runtime.goexit()\n\t/usr/local/go/src/runtime/asm_amd64.s:2337 +0x1\n",
        (0, "/usr/local/go/src/runtime/asm_amd64.s", 2337, "runtime.goexit", False, ""),
    ),
    "node": (
        "TypeError: x is undefined\n    at Cart.total (/srv/shop/cart.js:31:7)\n",
        (0, "/srv/shop/cart.js", 31, "Cart.total", True, "TypeError"),
    ),
    "node without a function": (
        "Error: no\n    at /srv/shop/node_modules/express/router.js:8:1\n",
        (0, "/srv/shop/node_modules/express/router.js", 8, "", False, "Error"),
    ),
    "dotnet": (
        (
            "Unhandled exception. System.NullReferenceException: no\n"
            "   at Shop.Cart.Total(Int32 id) in C:\\src\\Shop\\Cart.cs:line 31\n"
        ),
        (0, "C:/src/Shop/Cart.cs", 31, "Shop.Cart.Total", True, "System.NullReferenceException"),
    ),
    "ruby": (
        "app/models/cart.rb:31:in `total': undefined method `sum' for nil (NoMethodError)\n",
        (0, "app/models/cart.rb", 31, "total", True, "NoMethodError"),
    ),
    "php": (
        (
            "PHP Fatal error:  Uncaught RuntimeException: no in /srv/a.php:3\nStack trace:\n"
            "#0 /srv/shop/Cart.php(31): Shop\\Cart->total()\n"
        ),
        (0, "/srv/shop/Cart.php", 31, "Shop\\Cart->total", True, "RuntimeException"),
    ),
    "rust": (
        "stack backtrace:\n   3: shop::cart::total\n             at ./src/cart.rs:31:5\n",
        (0, "src/cart.rs", 31, "shop::cart::total", True, ""),
    ),
    "gdb": (
        '#0  0x00007f in vzlog (fmt=0x7f "%s(): failed") at lib/zlog.c:425\n',
        (0, "lib/zlog.c", 425, "vzlog", True, ""),
    ),
    "gdb over two lines": (
        " #0 smap_find (smap=<optimized out>,\n    key=0x1) at ../lib/smap.c:366\n",
        (0, "../lib/smap.c", 366, "smap_find", True, ""),
    ),
    "sanitizer": (
        (
            "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n"
            "    #0 0x5 in cart_total /srv/shop/cart.c:31:7\n"
        ),
        (0, "/srv/shop/cart.c", 31, "cart_total", True, "heap-use-after-free"),
    ),
    "memcheck": (
        "==26== Conditional jump\n==26==    at 0x26F026: label_free (label.c:116)\n",
        (0, "label.c", 116, "label_free", True, ""),
    ),
    "kernel": (
        "[  924.8] EIP is at netdev_send+0x77/0x340 [openvswitch]\n",
        (0, "", None, "netdev_send", True, ""),
    ),
    "compiler": (
        "src/cart.c:31:7: error: use of undeclared identifier 'total'\n",
        (0, "src/cart.c", 31, "", True, ""),
    ),
    "puppet": (
        "Error 500 on SERVER (file: /etc/puppet/manifests/realm.pp, line: 68, column: 18)\n",
        (0, "/etc/puppet/manifests/realm.pp", 68, "", True, ""),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_frame_is_read(name: str):
    text, expected = CASES[name]
    assert expected in seen(text)


@pytest.mark.parametrize(
    "line",
    [
        "connected to db.example.org:5432 in 3 ms",
        "at 12:31:07 the job was done",
        "GET /cart/7 200 0.003",
        "peer 10.0.0.7:8080 left",
    ],
)
def test_an_ordinary_line_has_no_frame(line: str):
    assert frames(line) == ()


def test_endless_recursion_is_one_frame():
    text = "java.lang.StackOverflowError\n" + "\tat a.B.c(B.java:5)\n" * 900
    assert [frame.line for frame in frames(text)] == [5]


def test_there_is_an_upper_bound():
    text = "".join(f"\tat a.B.c(B.java:{line})\n" for line in range(3_000))
    assert len(frames(text)) == MAX_FRAMES


@pytest.mark.parametrize(
    "piece", ["at ", "(", "a.", "a/", "#1 ", " at a(", 'File "', "x:1", ": ", "\\"]
)
def test_hostile_lines_are_read_in_linear_time(piece: str):
    start = time.process_time()
    frames((piece * 2_000 + "\n") * 60)
    assert time.process_time() - start < 3


@given(st.text(max_size=400))
def test_any_text_is_survived(text: str):
    assert all(isinstance(frame, Frame) for frame in frames(text))


@given(
    st.lists(
        st.sampled_from([*PYTHON.splitlines(), "\tat a.B.c(B.java:5)", "#0 f () at a.c:1", ""])
    )
)
def test_mixed_up_lines_are_survived(lines: list[str]):
    assert all(frame.depth >= 0 for frame in frames("\n".join(lines)))
