"""What `bench.page` measures: each page, as a web server of Airflow's own serves it to people with a login.

The mirror is that of ten million plays. The warehouse itself is not there: pages do not need it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from urllib.parse import quote

import psutil
import urllib3

from bench.mirror import END, Sizes, fill
from bench.place import free_port
from sandbox.parts.settings import REPOSITORY, new_password
from sandbox.terminal.console import note, reported, say
from sparkify_watch.mirror.store import Store

PEOPLE, ROUNDS, LIMIT = 5, 6, 0.5
_MONTH = f"{END:%Y-}11"
PAGES = (
    "",
    "dag/sparkify_etl",
    f"sparkify/hours?month={_MONTH}",
    f"sparkify/hours?year={END:%Y}",
    "sparkify/loads",
    "sparkify/loads?table=songplays&page=100",
    "sparkify/quality",
    f"sparkify/quality?check={quote('songplays: check 6')}",
    "sparkify/files",
    "sparkify/files?page=2000",
    "sparkify/files?q=is-nowhere",
    "sparkify/rejected",
    "sparkify/rejected?page=2000",
    "sparkify/rejected?q=is-nowhere",
    "sparkify/answers",
    "sparkify/backfills",
    "cluster",
    "stores/hours",
    "stores/loads",
)
_PATIENCE_SECONDS = 120.0


def main() -> int:
    """Measure and print; return 1 if a page takes longer than it may."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return reported(_measure)


def _measure() -> int:
    sizes = _parse()
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as home:
        store = Store(Path(home) / "warehouse_page" / "mirror.sqlite3")
        note(f"Filling a mirror with {sizes.loads:,} loads")
        fill(store, sizes)
        say(f"The mirror has {store.path.stat().st_size / 1e6:,.0f} MB.")
        with _served(Path(home)) as (url, password, server):
            headers = _log_in(url, password)
            # The first time modules are imported and templates read.
            _visit(url, headers, PAGES, rounds=1)
            visits = {page: _watch(server, url, headers, page) for page in PAGES}
    return _report(visits)


def _parse() -> Sizes:
    parser = ArgumentParser(prog="python -m bench.page", description=__doc__)
    for field in fields(Sizes):
        parser.add_argument(f"--{field.name}", type=int, default=field.default, help="%(default)s")
    return Sizes(**vars(parser.parse_args()))


@contextmanager
def _served(home: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """Start Airflow's web server; give its address, the password of `admin`, and its process."""
    password, port = new_password(), free_port()
    (home / "passwords.json").write_text(json.dumps({"admin": password}))
    variables = {**os.environ, **_variables(home, port)}
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=variables, check=True, capture_output=True)
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(
        [*airflow, "api-server"], env=variables, stdout=log, stderr=log, start_new_session=True
    )
    try:
        _wait(f"http://127.0.0.1:{port}", server, home / "server.log")
        yield f"http://127.0.0.1:{port}", password, psutil.Process(server.pid)
    except BaseException:
        note((home / "server.log").read_text()[-5000:])
        raise
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        log.close()


def _variables(home: Path, port: str) -> dict[str, str]:
    closed = {"conn_type": "redshift", "host": "127.0.0.1", "port": 9, "schema": "none", "login": "none"}
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(closed),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    http = urllib3.PoolManager(retries=False, timeout=5)
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if http.request("GET", f"{url}/api/v2/version").status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.2)
    raise RuntimeError(f"Airflow's web server did not start:\n{log.read_text()[-2000:]}")


def _log_in(url: str, password: str) -> dict[str, str]:
    login = {"username": "admin", "password": password}
    answer = urllib3.request("POST", f"{url}/auth/token", json=login)
    return {"Cookie": f"_token={answer.json()['access_token']}"}


@dataclass(frozen=True)
class Visits:
    """What looking at a page took: the seconds of each time, and of processor time in the mean."""

    seconds: Sequence[float]
    processor: float


def _watch(server: psutil.Process, url: str, headers: dict[str, str], page: str) -> Visits:
    before = _processor(server)
    seconds = _visit(url, headers, [page], ROUNDS)
    return Visits(seconds, (_processor(server) - before) / len(seconds))


def _processor(server: psutil.Process) -> float:
    """Return the processor time of a process and those that it has started, in seconds."""
    times = [each.cpu_times() for each in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _visit(url: str, headers: dict[str, str], pages: Sequence[str], rounds: int) -> list[float]:
    """Let everybody look at pages at the same time, again and again; return the seconds of each time."""
    http = urllib3.PoolManager(retries=False, timeout=60, maxsize=PEOPLE, headers=headers)

    def look(page: str) -> float:
        began = time.monotonic()
        answer = http.request("GET", f"{url}/warehouse/{page}", redirect=False)
        if answer.status != 200:
            raise RuntimeError(f"/warehouse/{page} answers {answer.status}: {answer.data[:500]!r}")
        return time.monotonic() - began

    with ThreadPoolExecutor(PEOPLE) as people:
        turns = [people.map(look, [page] * PEOPLE) for page in pages for _ in range(rounds)]
        return [seconds for turn in turns for seconds in turn]


def _report(visits: dict[str, Visits]) -> int:
    say(f"\nMilliseconds of a page, {PEOPLE} people at once, {ROUNDS} times each:")
    say(f"{'page':58}{'median':>8}{'slowest':>9}{'processor':>11}")
    for page, found in visits.items():
        figures = f"{median(found.seconds) * 1e3:8.0f}{max(found.seconds) * 1e3:9.0f}"
        say(f"/warehouse/{page:47}{figures}{found.processor * 1e3:11.0f}")
    late = [page for page, found in visits.items() if max(found.seconds) > LIMIT]
    say(f"At most {LIMIT * 1e3:.0f} ms: {'no, ' + ', '.join(late) if late else 'yes'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
