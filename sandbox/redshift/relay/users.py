"""Names of users: those who log in with a temporary password have a prefix before theirs."""

import re

_PREFIX = re.compile(r"^IAMA?:")


def of_login(name: str) -> str:
    """The database user that a login name becomes: ``alice`` for ``IAM:alice`` (and for ``alice``)."""
    return _PREFIX.sub("", name)
