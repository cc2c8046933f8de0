"""Airflow's REST API in this process, asked for the user of a request, who may do there what they may."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import httpx
from fastapi import Depends, Request

_CREDENTIALS = ("authorization", "cookie")
# By a referer Airflow knows that a person has triggered a run in a browser.
_FORWARDED = (*_CREDENTIALS, "referer", "user-agent")


class AirflowRefusal(Exception):  # noqa: N818 - what Airflow says, which is no fault of ours
    """Airflow has refused a request.

    Attributes:
        status: of HTTP.
        detail: what Airflow says, as text.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class AirflowApi:
    """The REST API with the credentials of a request: permissions, checks and the audit log are Airflow's.

    Args:
        request: whose user asks.
    """

    def __init__(self, request: Request) -> None:
        self._headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        self._client = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)

    async def get(self, *path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON has no type
        """Return the JSON of what stands at a path below /api/v2, given part by part.

        Raises:
            AirflowRefusal: Airflow says why.
        """
        return await self._send("GET", path, None, query)

    async def send(self, method: str, *path: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Change something, and return what Airflow answers.

        Raises:
            AirflowRefusal: Airflow says why.
        """
        return await self._send(method, path, document, {})

    async def _send(
        self, method: str, path: tuple[str, ...], document: Mapping[str, Any] | None, query: Mapping[str, Any]
    ) -> Any:  # noqa: ANN401
        # Here: while plugins are read, the application is only being made.
        from airflow.api_fastapi.main import app  # noqa: PLC0415

        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=self._client)
        address = "/".join(["/api/v2", *map(_quote, path)])
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            found = await client.request(
                method, address, headers=self._headers, params=dict(query), json=document
            )
        if found.status_code >= 300:
            raise AirflowRefusal(found.status_code, _read_detail(found))
        return found.json() if found.content else None


Api = Annotated[AirflowApi, Depends(AirflowApi)]
"""Airflow's REST API for the user of a request."""


def _quote(part: str) -> str:
    # A client would take them for steps up the path.
    if part in {"", ".", ".."}:
        raise AirflowRefusal(404, f"There is nothing of the name {part!r}.")
    return quote(part, safe="~")


def _read_detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()
    except json.JSONDecodeError:
        return answer.text[:500] or answer.reason_phrase
    if isinstance(detail, dict):
        detail = detail.get("detail", detail)
    if isinstance(detail, dict):
        detail = detail.get("reason", detail)
    return detail if isinstance(detail, str) else json.dumps(detail)[:500]
