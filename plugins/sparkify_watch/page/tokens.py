"""Form tokens: what is posted counts only where this page made the form, for this user, not long ago."""

import hashlib
import hmac
import secrets
import time

from airflow.api_fastapi.auth.tokens import get_signing_key
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Request

_LIFE_SECONDS = 12 * 3600
_PURPOSE = b"sparkify: forms of the page Warehouse"


class TokenError(Exception):
    """A token that is none of ours, another user's, or too old; the message is for people."""


def make_token(user: str) -> str:
    """Return a new token for a user, which is good for twelve hours."""
    return _sign(user, f"{int(time.time()):x}", secrets.token_hex(8))


def read_nonce(user: str, token: str) -> str:
    """Return what tells a token from all others, 16 hexadecimal digits.

    Raises:
        TokenError: it was not made for this user by `make_token`, or too long ago.
    """
    issued, _, rest = token.partition(".")
    nonce = rest.partition(".")[0]
    # Bytes: of texts only ASCII ones can be compared in constant time.
    if not hmac.compare_digest(_sign(user, issued, nonce).encode(), token.encode()):
        raise TokenError("This form was not made by this page for you.")
    if time.time() - int(issued, 16) > _LIFE_SECONDS:
        raise TokenError("This form is more than twelve hours old.")
    return nonce


def _sign(user: str, issued: str, nonce: str) -> str:
    """Return the token; none of its parts but the last, the user, can hold the dot between them."""
    told = f"{issued}.{nonce}"
    key = hmac.digest(get_signing_key("api", "secret_key").encode(), _PURPOSE, "sha256")
    return f"{told}.{hmac.new(key, f'{told}.{user}'.encode(), hashlib.sha256).hexdigest()}"


async def know_user(request: Request, user: GetUserDep) -> None:
    """Keep with a request who asks, for the forms on the page that answers it."""
    request.state.form_user = user.get_id()


def token_of(request: Request) -> str:
    """Return a new token for the user of a request that `know_user` has seen."""
    return make_token(request.state.form_user)
