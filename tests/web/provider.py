"""A provider that speaks as much OpenID Connect as a login takes, on a port of this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

CLIENT, SECRET, CODE = "ioa", "s3cret", "code-1"


class Provider:
    """`claims`: what it says of who signs in. `broken`: an address that answers with nonsense."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "1"}
        self.broken = ""
        self.audience = CLIENT
        self.asked: list[str] = []
        self.challenge = ""
        self.nonce = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser would bring back: the person agreed."""
        said = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert said["client_id"] == CLIENT
        assert said["response_type"] == "code"
        assert said["code_challenge_method"] == "S256"
        self.challenge, self.nonce = said["code_challenge"], said.get("nonce", "")
        return {"code": CODE, "state": said["state"]}

    def answer(self, path: str, form: dict[str, str], bearer: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path == self.broken:
            return 500, {"oops": "<script>"}
        match path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            case "/token":
                hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                proof = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
                right = (form.get("client_id"), form.get("client_secret"), form.get("code"), proof)
                if right != (CLIENT, SECRET, CODE, self.challenge):
                    return 400, {"error": "invalid_grant"}
                return 200, {"access_token": "t", "token_type": "Bearer", "id_token": self._id()}
            case "/userinfo" if bearer == "Bearer t":
                return 200, self.claims
        return 404, {}

    def _id(self) -> str:
        now = int(time.time())
        said = {"iss": self.url, "aud": self.audience, "iat": now, "exp": now + 60}
        if self.nonce:
            said["nonce"] = self.nonce
        return jwt.encode({**said, **self.claims}, "k" * 32, algorithm="HS256")


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            bearer = self.headers.get("Authorization", "")
            status, content = provider.answer(urlsplit(self.path).path, form, bearer)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
