"""Where Swagger UI is switched off, Airflow's API documents nothing to strangers.

`[api] enable_swagger_ui = False` closes /docs and /redoc of the main application (Airflow 3.3.2). The schema
that they show, and the pages of the two applications below it, would still answer without a login.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_PAGES = ("docs", "docs/oauth2-redirect", "redoc", "openapi.json", "changelog")
CLOSED = frozenset(f"{application}/{page}" for application in ("", "/auth", "/execution") for page in _PAGES)


class ClosedDocuments:
    """Middleware of the API server: answers 404 where documents of the API would be."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "http" and _path(scope) in CLOSED and not _is_wanted():
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)


def _path(scope: Message) -> str:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return "/" + path.strip("/")


def _is_wanted() -> bool:
    return conf.getboolean("api", "enable_swagger_ui")


class ApiDocsPlugin(AirflowPlugin):
    """Makes `[api] enable_swagger_ui` mean every document."""

    name = "api_docs"
    fastapi_root_middlewares: list[Any] = [  # noqa: RUF012 - the base class has it so
        {"name": "closed documents", "middleware": ClosedDocuments}
    ]
