"""What a browser shows where a route answers no: a page, where a program gets JSON."""

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException

from sparkify_watch.page.answer import answer

_TITLES = {
    401: "You are not logged in",
    403: "You may not do this",
    404: "There is no such page",
    413: "This form is too large",
}


async def explain(request: Request, error: Exception) -> Response:
    """Answer with the status of an HTTPException: a page to who asks for one, else JSON as FastAPI does."""
    if not isinstance(error, HTTPException):
        raise error
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    status = error.status_code
    root = request.scope.get("root_path", "")
    shown = answer(
        request,
        "stopped.html",
        status,
        title=_TITLES.get(status, HTTPStatus(status).phrase),
        code=status,
        detail=error.detail,
        airflow=root.rpartition("/")[0],
    )
    shown.headers.update(error.headers or {})
    return shown
