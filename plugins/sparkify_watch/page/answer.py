"""Pages out of templates."""

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sparkify.text import printable
from sparkify_watch.page import words
from sparkify_watch.page.tokens import token_of


def _shown(value: object) -> object:
    """Return what a template writes: what others have written, without what would steer whoever reads it."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return printable(value, keep="\n\t")


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_shown,
)
_TEMPLATES.filters.update(words.FILTERS)


def answer(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page.

    Args:
        request: what it answers.
        template: in the folder `templates`; it extends `base.html`, which wants `title`, `picture`
            (`read.picture`), `datasets` (those in the navigation) and `dataset` (the one shown, or None).
        status: of HTTP.
        **values: what the template shows. In templates `root` is the page's own prefix, `/warehouse`, and
            `form_token()` a new token, for the field `token` of a form that posts.
    """
    root = request.scope.get("root_path", "")
    text = _TEMPLATES.get_template(template).render(
        root=root,
        here=request.url.path.removeprefix(root),
        form_token=partial(token_of, request),
        **{"dataset": None, **values},
    )
    return HTMLResponse(text, status)
