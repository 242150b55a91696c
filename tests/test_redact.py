"""Secrets leave no text; what an investigation needs stays; no text is slow and none gets through unredacted."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import override

from bot.redact import WITHHELD, Redactor, protect, redact

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nq1w2e3r4t5==\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# (text, secret that must be gone, what must still be there)
SECRETS = [
    ("password=hunter2 user=bob", "hunter2", "user=bob"),
    ('{"password": "hunter 2", "n": 1}', "hunter 2", '"n": 1'),
    (r'msg="{\"password\":\"hunter2\",\"n\":1}"', "hunter2", r"\"n\":1"),
    ("DB_PASSWORD: s3cr3t", "s3cr3t", "DB_PASSWORD: "),
    ("spring.datasource.password = 'p w'", "p w", "spring.datasource"),
    ("User{name=ann, password=hunter2, id=7}", "hunter2", "id=7"),
    ("clientSecret=abc123 tenant=7", "abc123", "tenant=7"),
    (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI",
        "aws_secret",
    ),
    ("- name: DB_PASSWORD\n  value: hunter2\n- name: PORT\n  value: 80", "hunter2", "value: 80"),
    ('{"name": "API_TOKEN", "value": "tok-1"}', "tok-1", "API_TOKEN"),
    ("<password>hunter2</password><id>7</id>", "hunter2", "<id>7</id>"),
    ("q=%22password%22%3A%22hunter2%22%2C%22n%22%3A1", "hunter2", "%22n%22%3A1"),
    ("run --password hunter2 --verbose", "hunter2", "--verbose"),
    ("run --api-token=abc123 --verbose", "abc123", "--verbose"),
    ("mysql -u root -phunter2 shop", "hunter2", "shop"),
    ("curl -s -u bob:hunter2 https://a.example.com/x", "hunter2", "https://a.example.com/x"),
    ("token = sign_in(password=hunter2)", "hunter2", "token"),
    ("password_hash=$2b$12$abcdefgh n=1", "$2b$12$abcdefgh", "n=1"),
    ("Server=db;User Id=sa;Password=P@ss,w0rd;Encrypt=true", "P@ss,w0rd", "Encrypt=true"),
    (
        "AccountName=shop;AccountKey=abcd+/12==;EndpointSuffix=core",
        "abcd+/12==",
        "AccountName=shop",
    ),
    ("postgres://app:hun:t@er2@db-1:5432/shop", "hun:t@er2", "@db-1:5432/shop"),
    ("redis://:hunter2@cache:6379", "hunter2", "cache:6379"),
    (
        "https://0123456789abcdef0123@git.example.com/a.git",
        "0123456789abcdef0123",
        "git.example.com",
    ),
    ("app:hunter2@tcp(db:3306)/shop", "hunter2", "db:3306"),
    ("Authorization: Bearer abc.def-123 status=200", "abc.def-123", "status=200"),
    ('"authorization":"Basic dXNlcjpwYXNz","n":1', "dXNlcjpwYXNz", '"n":1'),
    ("Authorization: Token token=y_NbAkKc66ryYTWUXYEu", "y_NbAkKc66ryYTWUXYEu", "Token"),
    ("Authorization: Digest username=a, response=6629fae4", "6629fae4", "Digest"),
    ("sent bearer 0123456789abcdef01234567", "0123456789abcdef01234567", "sent"),
    ("Cookie: sid=abc; theme=dark", "abc", "Cookie"),
    ('set-cookie: "session=xyz; Path=/" next', "xyz", "next"),
    ("X-Api-Key: 7f3a n=1", "7f3a", "n=1"),
    ("DD-API-KEY: 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", "DD"),
    ("JSESSIONID=A1B2C3 path=/x", "A1B2C3", "path=/x"),
    ("GET /o?X-Amz-Signature=deadbeef01&x=1", "deadbeef01", "x=1"),
    ("GET /o?sv=2024&sig=ab%2Fc%3D&se=1", "ab%2Fc%3D", "se=1"),
    ("login failed password: Tr0ub4dor&3 x", "&3", "login failed"),
    ("passwd hunter3hunter3 rejected", "hunter3hunter3", "rejected"),
    ("the secret is tr0ub4dor today", "tr0ub4dor", "today"),
    ("ssn 123-45-6789 given", "123-45-6789", "given"),
    ("AKIAIOSFODNN7EXAMPLE denied", "AKIAIOSFODNN7EXAMPLE", "denied"),
    ("push ghp_" + "a1B2" * 9, "a1B2a1B2", "push"),
    ("github_pat_" + "a1B2" * 9 + " x", "a1B2a1B2", " x"),
    ("glpat-" + "a1B2" * 5 + " x", "a1B2a1B2", " x"),
    ("xoxb-123456789012-abcdefGHIJ x", "abcdefGHIJ", " x"),
    ("https://hooks.slack.com/services/T000/B000/XXXXabcdEFGH1234", "XXXXabcd", "https://"),
    ("sk_live_" + "a1B2" * 6 + " x", "a1B2a1B2", " x"),
    ("key sk-proj-" + "a1B2" * 6 + " x", "a1B2a1B2", " x"),
    ("sk-ant-api03-" + "a1B2" * 6 + " x", "a1B2a1B2", " x"),
    ("AIza" + "a1B2c" * 7 + " x", "a1B2ca1B2c", " x"),
    ("SK" + "0a1b2c3d" * 4 + " x", "0a1b2c3d", " x"),
    ("SG." + "a1B2" * 5 + "." + "c3D4" * 10, "c3D4c3D4", ""),
    ("npm_" + "a1B2" * 9 + " x", "a1B2a1B2", " x"),
    ("hvs." + "a1B2" * 7 + " x", "a1B2a1B2", " x"),
    ("123456789:AA" + "a1B2c" * 7 + " x", "a1B2ca1B2c", " x"),
    (f"jwt {JWT} end", "dozjgNryP4J3", "end"),
    (f"before\n{PEM}\nafter", "MIIEowIBAAKCAQEA7", "after"),
    (json.dumps({"pem": PEM, "n": 1}), "q1w2e3r4t5", '"n": 1'),
    ("cut off: -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQ", "kiG9w0BAQ", "cut off"),
    (
        "ssh_key=-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\nok",
        "b3Blbn",
        "ok",
    ),
    ("mail bob.b+x@shop.example.co.uk failed", "bob.b+x", "failed"),
    ("card 4111 1111 1111 1111 declined", "1111 1111", "declined"),
    ("card=378282246310005 declined", "378282246310005", "declined"),
]

KEPT = [
    "commit 3f9c2d1e4b6978012345678901234567890abcde by ci",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span=00f067aa0ba902b7",
    "uuid 550e8400-e29b-41d4-a716-446655440000 and sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "pod checkout-7d9f8b6c5-x2x1z on ip-10-0-3-7.ec2.internal (10.0.3.7, fe80::1)",
    'File "/srv/app/checkout/token.py", line 88, in verify_token',
    "at com.shop.auth.TokenService.refresh(TokenService.java:41)",
    "Unexpected token: '}' in JSON at position 4",
    'Password authentication failed for user "app"',
    "token expired for session 42",
    'secret "db-credentials" not found in namespace shop',
    "secret=shop/db-credentials is missing",
    "git@github.com:shop/checkout.git",
    "unit getty@tty1.service, package lodash@4.17.21, com.shop.Foo@1b2c3d4e",
    "root@web-1.shop.internal: connection reset",
    "cache key=cart:42 hit; tokens=512 max_tokens: 4096 author: ann",
    "1700000000123456 1700000000123456789 4111111111111112",
    "password = request.form['password']",
    "password: str = None",
    "password=${DB_PASSWORD} token=*** secret=<redacted> pwd=%(pw)s",
    "template user=<*> password=<*>",
    "PWD=/srv/app SIGNAL=9 design: flat",
    "authorization: denied for role reader",
    "basic authentication failed, bearer token missing",
    "http://web:8080/a@b and ws://x:9000/y",
]


@pytest.mark.parametrize(
    ("text", "secret", "rest"), SECRETS, ids=[text[:40] for text, _, _ in SECRETS]
)
def test_a_secret_is_gone_and_what_stands_beside_it_stays(
    text: str, secret: str, rest: str
) -> None:
    redacted = redact(text)
    assert secret not in redacted
    assert "[secret:" in redacted
    assert rest in redacted


@pytest.mark.parametrize("text", KEPT, ids=[text[:40] for text in KEPT])
def test_what_an_investigation_needs_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "secret", "rest"), SECRETS, ids=[text[:40] for text, _, _ in SECRETS]
)
def test_a_secret_is_found_in_the_middle_of_a_log(text: str, secret: str, rest: str) -> None:
    log = "\n".join(["INFO nothing to see"] * 3 + [text] + ["INFO nothing to see"] * 3)
    assert secret not in redact(log)
    assert redact(log).count("nothing to see") == 6
    assert rest in redact(log)


def test_equal_secrets_get_equal_placeholders() -> None:
    redactor = Redactor()
    first = redactor.text("password=hunter2")
    assert redactor.text("password=other2") != first
    assert redactor.text("password=hunter2") == first == "password=[secret:password#1]"


def test_placeholders_that_are_there_already_keep_their_numbers() -> None:
    assert (
        redact("a [secret:password#3] password=hunter2")
        == "a [secret:password#3] password=[secret:password#4]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "`password: [secret:password#1]` and more",
        "“password=[secret:password#1]” and more",
        "Authorization: Bearer [secret:jwt#1]` and more",
        "postgres://a:[secret:url-password#1]@db token [secret:token] and more",
        "cut off: [secret:passwor…",
        "cut off: [secret:password#1…",
        "cut off: [secret:secr...",
    ],
)
def test_a_placeholder_stays_as_it_is_with_what_stands_around_it(text: str) -> None:
    assert redact(text) == text


def test_a_key_with_one_log_line_for_each_of_its_lines_is_gone() -> None:
    body = "MIIEowIBAAKCAQEA7q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c2v3b"
    told = Redactor().lines(["-----BEGIN RSA PRIVATE KEY-----", body, "q1W2e3==", "INFO ok"])
    assert body not in "".join(told)
    assert "q1W2e3" not in "".join(told)
    assert told[-1] == "INFO ok"
    assert body not in "".join(Redactor().lines(["INFO ok", body]))


def test_numbers_that_stand_elsewhere_in_a_text_are_kept_free() -> None:
    redactor = Redactor()
    redactor.reserve("token=[secret:token#4]")
    assert redactor.text("token=tok-1") == "token=[secret:token#5]"


def test_a_text_that_cannot_be_redacted_is_withheld_and_counted() -> None:
    class Strange(str):
        __slots__ = ()

        @override
        def replace(self, *_: object) -> str:
            raise RuntimeError

    redactor = Redactor()
    assert redactor.text(Strange("password=hunter2")) == WITHHELD
    assert redactor.withheld == 1
    assert redactor.text("fine") == "fine"


@pytest.mark.parametrize(
    "form",
    ["tops3cret/value", "tops3cret%2Fvalue", base64.b64encode(b"tops3cret/value").decode()],
)
def test_configured_secrets_are_found_in_every_form(form: str) -> None:
    assert form not in Redactor(["tops3cret/value"]).text(f"sent {form} to it")


def test_a_short_configured_secret_does_not_shred_the_text() -> None:
    assert Redactor(["in"]).text("login in main") == "login in main"


def test_protected_secrets_are_known_to_every_redactor() -> None:
    protect(["pr0tected-value-of-a-test"])
    assert redact("x pr0tected-value-of-a-test y") == "x [secret:configured#1] y"


def test_nested_values_are_redacted_by_their_keys() -> None:
    value = {
        "user": "bob",
        "password": "hunter2",
        "pin": 7,
        "db": {"name": "DB_TOKEN", "value": "tok-1"},
        "headers": {"Authorization": "Bearer x", "Accept": "a"},
        "list": ["ok", {"api_key": "k-1"}],
        "none": None,
    }
    redacted = json.dumps(Redactor().json(value))
    assert not [s for s in ("hunter2", "tok-1", "Bearer x", "k-1") if s in redacted]
    assert '"user": "bob"' in redacted
    assert '"pin": 7' in redacted
    assert '"Accept": "a"' in redacted


def test_nesting_without_end_is_withheld() -> None:
    value: object = "password=hunter2"
    for _ in range(200):
        value = [value]
    assert WITHHELD in json.dumps(Redactor().json(value))


def test_a_model_keeps_its_shape() -> None:
    class Line(BaseModel):
        text: str
        count: int
        parts: tuple[str, ...] = ()

    line = Line(text="password=hunter2", count=3, parts=("bob@shop.example.com",))
    redacted = Redactor().model(line)
    assert redacted == Line(
        text="password=[secret:password#1]", count=3, parts=("[secret:email#1]",)
    )


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
@example("password=\u0130\u0130x AKIA\x00\ud800")
def test_any_text_survives_and_redacting_twice_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.text(text)
    assert redactor.withheld == 0
    assert redact(once) == once


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters(
            min_codepoint=33, max_codepoint=126, exclude_characters="\"'`\\&;,<>()[]{}|$%*"
        ),
        min_size=6,
        max_size=40,
    ).filter(lambda s: not s.isalpha() and any(c.isdigit() for c in s)),
    st.sampled_from(
        ["password={}", '"password": "{}"', "token='{}'", "api_key: {} ", "x --secret {} y"]
    ),
)
def test_any_value_under_a_telling_key_is_gone(secret: str, form: str) -> None:
    assert secret not in redact(form.format(f"Zz9{secret}"))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "password=",
        'token="',
        "secret=f(",
        "key=",
        "a.b@",
        "://u:p",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "eyJhbGciOi.",
        "4111-",
        "curl -u ",
        "mysql -p ",
        "cookie: ",
        "name: x_token\n",
        "[secret:x#1]",
        "--token ",
    ],
)
def test_no_text_makes_it_slow(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.process_time()
        Redactor().text(text)
        return time.process_time() - started

    small = min(seconds(20_000) for _ in range(3))
    assert (
        min(seconds(160_000) for _ in range(2)) < 30 * small + 0.05
    )  # quadratic would be 64 times
