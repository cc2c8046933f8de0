"""How a COPY may read S3, and how its secrets stay out of logs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.redshift.copy.errors import INVALID_PARAMETER, SYNTAX_ERROR, CopyError

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_MASK = "******"
_SECRET_OPTION = re.compile(
    r"\b(SECRET_ACCESS_KEY|ACCESS_KEY_ID|SESSION_TOKEN)(\s+AS)?(\s*)'(?:[^']|'')*'?", re.IGNORECASE
)
_SECRET_PAIR = re.compile(r"\b(aws_access_key_id|aws_secret_access_key|token)(\s*=\s*)[^;']*", re.IGNORECASE)


@dataclass(frozen=True)
class Authorization:
    """An IAM role ('default' or one or more ARNs) or a pair of access keys."""

    iam_role: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


def mask_credentials(sql: str) -> str:
    """`sql` with the access keys of a COPY replaced by asterisks, fit for a log."""
    hidden = _SECRET_OPTION.sub(rf"\1\2\3'{_MASK}'", sql)
    return _SECRET_PAIR.sub(rf"\1\2{_MASK}", hidden)


def authorization(
    role: str | None, credentials: str | None, keys: Mapping[str, str], *, default_role: bool
) -> Authorization:
    """The one way of authorization that a statement gives.

    Args:
        role: Argument of IAM_ROLE when it is quoted.
        credentials: Argument of CREDENTIALS.
        keys: Arguments of ACCESS_KEY_ID, SECRET_ACCESS_KEY and SESSION_TOKEN by these names.
        default_role: The statement says IAM_ROLE default.

    Raises:
        CopyError: None or several ways are given, or one is malformed.
    """
    ways = [way for way in (role, credentials, keys or None, default_role or None) if way is not None]
    if len(ways) > 1:
        raise CopyError(SYNTAX_ERROR, "conflicting or redundant options", "Give one authorization.")
    if not ways:
        raise CopyError(
            SYNTAX_ERROR,
            "CREDENTIALS argument is required but not supplied",
            hint="Add IAM_ROLE default or IAM_ROLE 'arn:aws:iam::<account>:role/<name>'.",
        )
    if default_role:
        return Authorization("default")
    if role is not None:
        return Authorization(_checked_role(role))
    return _from_pairs(_pairs(credentials)) if credentials is not None else _from_pairs(keys)


def _checked_role(role: str) -> str:
    chain = re.split(r",(?=arn:)", role)
    if not all(_ROLE.fullmatch(arn) for arn in chain):
        raise CopyError(
            INVALID_PARAMETER,
            f"Invalid IAM_ROLE '{role}'",
            hint="Write IAM_ROLE default or 'arn:aws:iam::<account>:role/<name>', several with commas.",
        )
    return role


def _pairs(credentials: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in credentials.split(";") if pair]
    names = {name: value for name, sign, value in pairs if sign}
    known = {"aws_iam_role", "aws_access_key_id", "aws_secret_access_key", "token"}
    # The text itself may hold a secret, so no error quotes it.
    if len(names) != len(pairs) or not names.keys() <= known or re.search(r"\s", credentials):
        raise CopyError(
            INVALID_PARAMETER,
            "Invalid credentials. Must be of the format: credentials 'aws_iam_role=...' or "
            "'aws_access_key_id=...;aws_secret_access_key=...[;token=...]'",
        )
    return names


def _from_pairs(pairs: Mapping[str, str]) -> Authorization:
    lowered = {name.lower().removeprefix("aws_"): value for name, value in pairs.items()}
    if lowered.keys() == {"iam_role"}:
        return Authorization(_checked_role(lowered["iam_role"]))
    if not {"access_key_id", "secret_access_key"} <= lowered.keys() or "iam_role" in lowered:
        raise CopyError(INVALID_PARAMETER, "COPY needs both the access key id and the secret access key")
    return Authorization(
        access_key_id=lowered["access_key_id"],
        secret_access_key=lowered["secret_access_key"],
        session_token=lowered.get("token") or lowered.get("session_token"),
    )
