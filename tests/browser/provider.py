"""A small OpenID provider of this machine, for tests of sign-in: whoever asks may choose who they are.

Authorization code with PKCE (S256), signed ID tokens, and an end of the session (OpenID Connect Core 1.0, RP-Initiated
Logout 1.0): as little as a client needs that checks state, nonce, verifier, issuer, audience, times and signature.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

ACCOUNTS = {"ann": "Ann Miller", "ben": "Ben Okoro"}
CLIENT, SECRET = "hematovision", "a secret of this test"
LASTS = 3600
"""Seconds that an ID token is good for."""


class Provider(ThreadingHTTPServer):
    """`codes`: code -> what it was given for; `ended`: how many sessions were ended here."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("localhost", 0), _Handler)
        self.url = f"http://localhost:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.codes: dict[str, dict[str, str]] = {}
        self.ended = 0

    def id_token(self, given: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": given["account"],
            "aud": given["client_id"],
            "nonce": given["nonce"],
            "iat": now,
            "exp": now + LASTS,
            "name": ACCOUNTS[given["account"]],
            "email": f"{given['account']}@example.edu",
        }
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        here = self.server.url
        if url.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": here,
                    "authorization_endpoint": f"{here}/authorize",
                    "token_endpoint": f"{here}/token",
                    "jwks_uri": f"{here}/jwks",
                    "end_session_endpoint": f"{here}/end",
                    "code_challenge_methods_supported": ["S256"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif url.path == "/jwks":
            self._json({"keys": [self.server.key.as_dict(private=False)]})
        elif url.path == "/authorize" and "account" not in query:
            chosen = {name: escape(urlencode(query | {"account": account})) for account, name in ACCOUNTS.items()}
            links = "".join(f'<p><a href="/authorize?{asked}">{name}</a></p>' for name, asked in chosen.items())
            self._send(200, links.encode(), {"Content-Type": "text/html"})
        elif url.path == "/authorize":
            code = secrets.token_urlsafe()
            self.server.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            self._send(302, headers={"Location": f"{query['redirect_uri']}?{back}"})
        elif url.path == "/end":
            self.server.ended += 1
            self._send(302, headers={"Location": query["post_logout_redirect_uri"]})
        else:
            self._send(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        # A code is good for one time.
        given = self.server.codes.pop(form["code"], None)
        if given is None or not self._is_client(form) or not _is_verifier(form, given):
            self._json({"error": "invalid_grant"}, 400)
            return
        token = {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "expires_in": LASTS}
        self._json(token | {"id_token": self.server.id_token(given)})

    def _is_client(self, form: dict[str, str]) -> bool:
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return self.headers.get("Authorization") == basic or form.get("client_secret") == SECRET

    def _json(self, content: object, status: int = 200) -> None:
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _is_verifier(form: dict[str, str], given: dict[str, str]) -> bool:
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == given["code_challenge"]


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider on a free port, in a thread of this process."""
    with Provider() as provider:
        thread = threading.Thread(target=provider.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
            thread.join()
