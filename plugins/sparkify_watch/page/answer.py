"""Pages out of templates."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sparkify_watch.page import words

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(words.FILTERS)


def answer(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page.

    Args:
        request: what it answers.
        template: in the folder `templates`; it extends `base.html`, which wants `title`, `picture`
            (`read.picture`), `datasets` (those in the navigation) and `dataset` (the one shown, or None).
        status: of HTTP.
        **values: what the template shows. In templates `root` is the page's own prefix, `/warehouse`.
    """
    root = request.scope.get("root_path", "")
    text = _TEMPLATES.get_template(template).render(
        root=root, here=request.url.path.removeprefix(root), **{"dataset": None, **values}
    )
    return HTMLResponse(text, status)
