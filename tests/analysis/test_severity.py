from __future__ import annotations

import pytest

from bot.analysis.grid import Shape
from bot.analysis.severity import BAD, severity, telling


def weight(template: str, level: str = "") -> float:
    return severity(Shape("svc", level, template)).weight


@pytest.mark.parametrize(
    "template",
    [
        "panic: runtime error: index out of range",
        "java.lang.NullPointerException: x",
        "Traceback (most recent call last):",
        "CartTest > refund() FAILED",
        "--- FAIL: TestRefund (<*>)",
        "test_refund (shop.tests.CartTest) ... ERROR",
        "testRefund(shop.CartTest) Time elapsed: <*> sec <<< FAILURE!",
        "not ok <*> - refunds",
        "● cart › refunds",
        "Failed tests: testRefund(shop.CartTest)",
        'caller=main.go:<*> Error="no database"',
        "GET /cart HTTP/<*> status=503 took <*>",
    ],
)
def test_words_make_an_error_where_there_is_no_level(template: str) -> None:
    assert weight(template) >= BAD


@pytest.mark.parametrize(
    "template",
    [
        "CartTest > handlesErrorResponse() PASSED",
        "test_error_is_raised ... ok",
        "✓ rejects a failed payment (<*>)",
        "Tests run: <*>, Failures: <*>, Errors: <*>",
        "<*> passed, <*> failed",
        "GET /cart status=200",
        "SuiteTest > error in a prose name STANDARD_ERROR",
        "",
    ],
)
def test_counters_and_tests_that_went_well_are_no_errors(template: str) -> None:
    assert weight(template) < 1.0


def test_a_level_outweighs_words() -> None:
    assert weight("all is fine", "fatal") > weight("all is fine", "error") >= BAD
    assert weight("request failed", "info") < 1.0 < weight("request failed")
    assert weight("panic: x", "error") > weight("x", "error")


@pytest.mark.parametrize(
    ("template", "terms"),
    [
        ("CartTest > refund() FAILED", ["names a place", "says what failed"]),
        ("shop/cart.py:<*>: KeyError", ["names a place"]),
        ("BUILD FAILED in <*>", ["only an outcome"]),
        ("Process completed with exit code <*>.", ["only an outcome"]),
        ("[ERROR]", ["says little"]),
        ("see https://example.com/Some/Page.Html for more details", ["only an outcome"]),
        ("no space left on device", []),
    ],
)
def test_an_error_that_names_a_place_says_more_than_an_outcome(
    template: str, terms: list[str]
) -> None:
    assert [term.name for term in telling(Shape("", "error", template))] == terms
