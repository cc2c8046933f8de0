"""Pages out of templates."""

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from sparkify_watch.page.drafts import draft_corrections
from sparkify_watch.page.templating import make_environment
from sparkify_watch.page.tokens import token_of

_TEMPLATES = make_environment(Path(__file__).with_name("templates"))
_TEMPLATES.filters["draft"] = draft_corrections


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
