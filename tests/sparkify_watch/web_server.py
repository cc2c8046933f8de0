"""Airflow's own API server in this process, with its page Warehouse and users of every role."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

USERS = {"viewer": "viewer", "op": "op", "another": "op", "admin": "admin"}
PASSWORD = "for tests only"
ORIGIN = "http://testserver"


def settings(folder: Path) -> dict[str, str]:
    """The environment variables that give the server its users; their passwords are in the folder."""
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(map(":".join, USERS.items())),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API__SECRET_KEY": "a key of tests",
        "AIRFLOW__API_AUTH__JWT_SECRET": "another key of tests " * 4,
    }


class Person:
    """A browser of one person.

    Args:
        web: an HTTP client of the server, which keeps its cookies and follows no redirects.
        user: who logs in; empty for a stranger.
        password: theirs.
    """

    def __init__(self, web: Any, user: str = "", password: str = PASSWORD) -> None:
        self.user, self._web = user, web
        self._origin = str(web.base_url).rstrip("/")
        if user:
            answer = web.post("/auth/token", json={"username": user, "password": password})
            assert answer.status_code == 201, answer.text
            web.cookies.set("_token", answer.json()["access_token"])

    @classmethod
    def of(cls, app: Any, user: str = "") -> "Person":
        """Return a person before a server in this process."""
        web = TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        return cls(web, user)

    def get(self, path: str, **headers: str) -> Any:
        return self._web.get(path, headers=headers)

    def api(self, path: str) -> Any:
        """What Airflow's REST API answers."""
        answer = self._web.get(f"/api/v2/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        """Change something over Airflow's REST API; return what it answers."""
        answer = self._web.request(method, f"/api/v2/{path}", json=dict(document))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Any:
        """Send a form as a page of this server does unless headers say otherwise; empty ones are left out."""
        sent = {"Origin": self._origin, "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._web.post(path, data=dict(fields), headers={k: v for k, v in sent.items() if v})

    def token(self, path: str) -> str:
        """The token of the forms on a page."""
        answer = self.get(path)
        found = re.search(r'name="token" value="([^"]+)"', answer.text)
        assert found, answer.text
        return found[1]
