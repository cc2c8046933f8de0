"""Forms that were posted: from a page of ours, for the user who has it, of a size that a person fills in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

from sparkify_watch.page.tokens import TokenError, read_nonce

_MOST_BYTES = 1_000_000
_DIGITS = len(str(_MOST_BYTES))
_AGAIN = "Open the page again and use its button once more; nothing was done."


@dataclass(frozen=True, slots=True)
class PostedForm:
    """What was posted.

    Args:
        fields: the texts of its fields, without space around them; an empty field is missing.
        nonce: the same for a form that is posted twice, and for no other.
    """

    fields: Mapping[str, str]
    nonce: str

    def has(self, name: str) -> bool:
        """Tell whether a field is filled in, or a box ticked."""
        return name in self.fields

    def get(self, name: str) -> str:
        """Return the text of a field, empty where it is missing."""
        return self.fields.get(name, "")


async def _read(request: Request, user: GetUserDep) -> PostedForm:
    if not _is_from_here(request):
        raise HTTPException(403, f"This form comes from another site. {_AGAIN}")
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise HTTPException(411, "How long the form is has to be said.")
    if len(length) > _DIGITS or int(length) > _MOST_BYTES:
        raise HTTPException(413, "A form has at most a million bytes.")
    posted = await request.form(max_files=0, max_fields=50)
    fields = {name: value.strip() for name, value in posted.items() if isinstance(value, str)}
    try:
        nonce = read_nonce(user.get_id(), fields.pop("token", ""))
    except TokenError as error:
        raise HTTPException(403, f"{error} {_AGAIN}") from None
    return PostedForm({name: value for name, value in fields.items() if value}, nonce)


Posted = Annotated[PostedForm, Depends(_read)]
"""The form that a request posts; without a token that is good it is refused (403)."""


def _is_from_here(request: Request) -> bool:
    """Tell whether the browser says that a page of this origin posts the form.

    Every browser of today says it in Sec-Fetch-Site, over TLS and on this machine; elsewhere Origin tells.
    A client that is no browser says neither; it has no cookie that another site could make it send.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or urlsplit(origin).netloc.lower() in _own_places(request)


def _own_places(request: Request) -> set[str]:
    """Return host and port of this server as the browser may know it; behind a proxy, of `base_url`."""
    places = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    return {place.lower() for place in places if place}
