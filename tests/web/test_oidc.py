from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from typing_extensions import override

from tests.web.conftest import Served

KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


@pytest.fixture
def issuer() -> Iterator[str]:
    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://{self.headers['Host']}"
            about = {"issuer": here, "jwks_uri": f"{here}/keys"}
            about["authorization_endpoint"] = f"{here}/authorize"
            about["token_endpoint"] = f"{here}/token"
            keys = {"keys": [KEY.as_dict(private=False)]}
            body = json.dumps(keys if self.path == "/keys" else about).encode()
            self._answer(body)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            here = f"http://{self.headers['Host']}"
            challenge = hashlib.sha256(form["code_verifier"][0].encode()).digest()
            seen, nonce = form["code"][0].split("|")
            right = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == seen
            told = {"access_token": "a", "token_type": "Bearer"}
            told["id_token"] = token(here, aud="client", nonce=nonce if right else "wrong")
            self._answer(json.dumps(told).encode())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def token(issuer: str, key=KEY, alg: str = "RS256", **changes) -> str:
    claims = {
        "iss": issuer,
        "aud": "bot",
        "sub": "u1",
        "email": "ada@example.com",
        "roles": ["viewer"],
        "exp": int(time.time()) + 300,
        **changes,
    }
    return jwt.encode({"alg": alg, "kid": "k1"}, claims, key, algorithms=[alg])


def test_only_valid_tokens_of_the_issuer_come_in(serve: Callable[..., Served], issuer: str) -> None:
    site = serve(oidc_issuer=issuer, oidc_audience="bot")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    good = token(issuer)
    public = KEY.as_pem(private=False)
    wrong = {
        "other key": token(issuer, OTHER),
        "other audience": token(issuer, aud="else"),
        "other issuer": token("https://evil.example"),
        "expired": token(issuer, exp=int(time.time()) - 3_600),
        "no role": token(issuer, roles=["guest"]),
        "alg none": f"{none}.{good.split('.')[1]}.",
        "public key as secret": token(issuer, OctKey.import_key(base64.b64encode(public)), "HS256"),
        "noise": "a.b.c",
    }
    for why, value in wrong.items():
        with site.client(value) as http:
            assert http.get("/api/v1/sources").status_code == 401, why
    with site.client(good) as http:
        assert http.get("/api/v1/sources").status_code == 200
        assert http.post("/api/v1/investigations", json={"question": "x"}).status_code == 403


def test_a_browser_signs_in_at_the_issuer(serve: Callable[..., Served], issuer: str) -> None:
    site = serve(oidc_issuer=issuer, oidc_client_id="client")
    with site.client("") as http:
        assert "your organisation" in http.get("/login").text
        sent = http.get("/login/oidc").headers["location"]
        asked = {key: value[0] for key, value in parse_qs(urlsplit(sent).query).items()}
        assert sent.startswith(f"{issuer}/authorize?")
        assert asked["code_challenge_method"] == "S256"
        code = f"{asked['code_challenge']}|{asked['nonce']}"
        replayed = {"code": code, "state": "guessed"}
        assert http.get("/login/callback", params=replayed).status_code == 403
        other = {"code": f"{asked['code_challenge']}|other", "state": asked["state"]}
        assert http.get("/login/callback", params=other).status_code == 403
        good = {"code": code, "state": asked["state"]}
        assert http.get("/login/callback", params=good).headers["location"] == "/"
        assert http.get("/").status_code == 200
        assert http.get("/settings").status_code == 403
    with site.client("") as http:
        assert http.get("/login/callback", params=good).status_code == 403
