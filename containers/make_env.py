"""``make env``: .env with new random secrets, from .env.example. Needs Python only."""

import base64
import os
import re
import secrets
import string
import sys
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_LETTERS = string.ascii_letters + string.digits


def main(folder: Path = REPOSITORY) -> int:
    """Write `folder`/.env, readable by its owner only, unless it is there; return the exit code."""
    target = folder / ".env"
    text = filled_in((folder / ".env.example").read_text())
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        _say(
            f"{target} is there and stays as it is. To begin anew, remove it and the volumes made with its"
            " secrets."
        )
        return 0
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)  # whatever the umask is
        file.write(text)
    _say(f"{target} is written. The login is AIRFLOW_USER and AIRFLOW_PASSWORD in it.")
    return 0


def filled_in(example: str) -> str:
    """The text of .env.example with a secret wherever a value is missing.

    Raises:
        KeyError: A line without a value is none of the secrets.
    """
    return re.sub(
        r"^([A-Z_]+)=$", lambda line: f"{line[1]}={_SECRETS[line[1]]()}", example, flags=re.MULTILINE
    )


def _random(length: int, alphabet: str = _LETTERS) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


_SECRETS: dict[str, Callable[[], str]] = {
    "AIRFLOW_FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "AIRFLOW_JWT_SECRET": lambda: _random(64),
    "AIRFLOW_SECRET_KEY": lambda: _random(64),
    "AIRFLOW_PASSWORD": lambda: _random(24),
    "POSTGRES_PASSWORD": lambda: _random(32),
    "REDIS_PASSWORD": lambda: _random(32),
    "REDSHIFT_PASSWORD": lambda: "Aa0" + _random(29),  # Redshift wants one of each kind
    "SANDBOX_AWS_ACCESS_KEY_ID": lambda: "AKIA" + _random(16, string.ascii_uppercase + string.digits),
    "SANDBOX_AWS_SECRET_ACCESS_KEY": lambda: _random(40),
}


if __name__ == "__main__":
    sys.exit(main())
