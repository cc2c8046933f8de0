"""Airflow's REST API, as far as the sandbox needs it."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

from sandbox.errors import SandboxError

_LONGEST_SECONDS = 30
_NOT_FOUND = 404


class AirflowApiError(SandboxError):
    """Airflow refused a request, or did not answer.

    Attributes:
        status: the HTTP status; 0 without an answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class AirflowApi:
    """One login at one Airflow.

    Args:
        url: of the web server, without a slash at its end.
        user: login name.
        password: its password.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self._http = urllib3.PoolManager(timeout=_LONGEST_SECONDS, retries=False)
        self._token = ""

    def health(self) -> dict[str, str]:
        """Return each part's status, such as healthy.

        Raises:
            AirflowApiError: there is no answer.
        """
        parts: dict[str, dict[str, str]] = self._send("GET", "/api/v2/monitor/health", None, {})
        return {name: part["status"] for name, part in parts.items()}

    def request(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Return the answer's JSON; None where it is empty.

        Args:
            method: of HTTP.
            path: below ``/api/v2/``.
            document: sent as JSON.

        Raises:
            AirflowApiError: it was refused, or there is no answer.
        """
        if not self._token:
            self._token = self._send("POST", "/auth/token", self._login, {})["access_token"]
        return self._send(method, f"/api/v2/{path}", document, {"Authorization": f"Bearer {self._token}"})

    def has(self, path: str) -> bool:
        """Whether there is something at a path below ``/api/v2/``.

        Raises:
            AirflowApiError: the answer is neither yes nor no.
        """
        try:
            self.request("GET", path)
        except AirflowApiError as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        return True

    def _send(
        self, method: str, path: str, document: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> Any:  # noqa: ANN401 — JSON has no type
        try:
            answer = self._http.request(method, self.url + path, json=document, headers=dict(headers))
            if answer.status >= 300:
                said = answer.data.decode(errors="replace")[:500]
                raise AirflowApiError(f"Airflow refused {method} {path}: {said}", answer.status)
            return json.loads(answer.data) if answer.data else None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise AirflowApiError(
                f"Airflow at {self.url} gave no answer to {method} {path}: {error}"
            ) from error
