"""Which of Airflow's routes answer somebody who has not logged in."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

import urllib3

from tests.conftest import REPOSITORY
from tests.security.secret_scan import PAGE

# Not for you, not there, not by this method.
_REFUSALS = {401, 403, 404, 405}
_LIST = REPOSITORY / "tests" / "security" / "list_routes.py"


def told() -> set[str]:
    """Those that docs/security.md lists, such as ``GET /api/v2/version``."""
    text = PAGE.read_text().partition("### Routes that answer without a login\n")[2].partition("\n#")[0]
    return set(re.findall(r"^\| `(\w+ /\S*)` \|", text, re.MULTILINE))


def every() -> list[tuple[str, str]]:
    """Method and path of every route there is; HEAD is GET without the answer's body."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, str(_LIST)],
            env={
                **os.environ,
                "AIRFLOW_HOME": home,
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            },
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return [(method, path) for method, path in found if method != "HEAD"]


def answering(url: str, routes: Sequence[tuple[str, str]]) -> set[str]:
    """Those of the routes that an Airflow at `url` does not refuse; each is asked without any credentials."""
    return not_refused(statuses(url, routes))


def not_refused(statuses: Mapping[str, int]) -> set[str]:
    """The routes whose status is no refusal."""
    return {route for route, status in statuses.items() if status not in _REFUSALS}


def statuses(url: str, routes: Sequence[tuple[str, str]]) -> dict[str, int]:
    """What an Airflow at `url` answers at each of the routes to somebody without any credentials."""
    http = urllib3.PoolManager(retries=False, timeout=30)
    found = {}
    for method, path in routes:
        assert method != "WEBSOCKET", path
        body = None if method == "GET" else {}
        answer = http.request(method, url + re.sub(r"\{[^}]*\}", "1", path), json=body, redirect=False)
        found[f"{method} {path}"] = answer.status
    return found
