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
        app: the server.
        user: who has logged in; empty for a stranger.
    """

    def __init__(self, app: Any, user: str = "") -> None:
        self.user = user
        self._web = TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        if user:
            login = {"username": user, "password": PASSWORD}
            answer = self._web.post("/auth/token", json=login)
            assert answer.status_code == 201, answer.text
            self._web.cookies.set("_token", answer.json()["access_token"])

    def get(self, path: str) -> Any:
        return self._web.get(path)

    def api(self, path: str) -> Any:
        """What Airflow's REST API answers."""
        answer = self._web.get(f"/api/v2/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Any:
        """Send a form, as a page of this server does unless headers say otherwise; `None` leaves one out."""
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._web.post(path, data=dict(fields), headers={k: v for k, v in sent.items() if v})

    def token(self, page: str) -> str:
        """The form token on a page."""
        found = re.search(r'name="token" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return found[1]
