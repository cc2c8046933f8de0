"""What every answer tells the browser about whom to trust."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""Content-Security-Policy: nothing from elsewhere, no script or style inside a page, framed by Airflow."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
"""What is added to every answer that does not say otherwise."""


class SecureHeaders:
    """Middleware that adds HEADERS."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _completed(given: Any) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - ASGI's own
    headers = [(bytes(name), bytes(value)) for name, value in given]
    there = {name.lower() for name, _ in headers}
    added = ((name.encode(), value.encode()) for name, value in HEADERS.items())
    return [*headers, *(pair for pair in added if pair[0] not in there)]
