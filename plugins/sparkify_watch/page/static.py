"""The files that pages name: behind the login, as everything here."""

from importlib.resources import files

from fastapi import APIRouter, HTTPException, Response

router = APIRouter(prefix="/static")
_SCRIPT = "text/javascript; charset=utf-8"
_KINDS = {"warehouse.css": "text/css; charset=utf-8", "map.js": _SCRIPT, "airflow.js": _SCRIPT}


@router.get("/{name}")
def static_file(name: str) -> Response:
    """Return a file."""
    if name not in _KINDS:
        raise HTTPException(404, "There is no such file.")
    content = files("sparkify_watch.page").joinpath("static", name).read_bytes()
    headers = {"cache-control": "private, max-age=300"}
    return Response(content, media_type=_KINDS[name], headers=headers)
