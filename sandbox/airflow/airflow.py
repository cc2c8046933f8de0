"""A whole Airflow as a part of the sandbox: web server, scheduler, dag processor and triggerer.

Its metadata are in the sandbox's PostgreSQL, under a login of their own: SQLite does not bear a backfill.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from psycopg import sql

from sandbox.airflow.api import AirflowApi, AirflowApiError
from sandbox.airflow.metadata import migrate
from sandbox.errors import SandboxError
from sandbox.parts import environment, postgres, processes, rights, tls
from sandbox.parts.parts import Service
from sandbox.parts.settings import LOOPBACK, Settings, new_password, write_once

USER = "admin"
_DATABASE = "airflow"

# Airflow's log servers would listen on every address of the machine; the web server reads the files itself.
_COMPONENTS = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
# Who makes and checks tokens, and where the pipeline's code runs or a page shows the warehouse: the others do
# without these secrets.
_WITH_TOKENS = {"api-server", "scheduler"}
_WITH_PIPELINE = {"api-server", "scheduler", "triggerer"}
_TOKEN_KEY = "AIRFLOW__API_AUTH__JWT_SECRET"  # noqa: S105 - a name
_OF_PIPELINE = (
    "AIRFLOW_CONN_AWS_DEFAULT",
    "AIRFLOW_CONN_REDSHIFT_DEFAULT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)

# What makes short tasks short; measured in docs/airflow.md, and the same in docker-compose.yaml.
FAST = {
    # The scheduler's pause between two looks.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
    # Workers are forked from a process that has imported what every task needs.
    "AIRFLOW__SCHEDULER__MP_START_METHOD": "forkserver",
    "AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": "airflow,sparkify_watch.alerts,sparkify.operators.preload",
    # Also the time for which a worker may miss that its task has ended.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


@dataclass(frozen=True)
class Secrets:
    """Made once and kept in ``<home>/airflow/secrets.json`` (mode 0600)."""

    web_password: str = field(repr=False)
    database_password: str = field(repr=False)
    token_key: str = field(repr=False)


class Airflow(Service):
    """Airflow's web server and all that works behind it.

    Args:
        settings: of the sandbox.
        changes: environment variables that differ from `service_variables`.
    """

    name = "airflow"
    title = "Airflow processes"
    port_variable = "SANDBOX_AIRFLOW_PORT"
    command = "ui"
    patience = 180.0

    def __init__(self, settings: Settings, changes: Mapping[str, str] | None = None) -> None:
        super().__init__(settings)
        self._changes = dict(changes or {})

    @property
    def port(self) -> int:
        """The web server's TCP port."""
        return self.settings.airflow_port

    def _spawn(self) -> list[psutil.Popen]:
        """Make its database if need be and start its processes; PostgreSQL is up."""
        variables = {**os.environ, **service_variables(self.settings), **tls.trust_folders(self.settings)}
        variables |= self._changes
        # Without byte code everything that Airflow starts would take twice as long.
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        _make_database(self.settings)
        migrate(variables, f"on the database {_DATABASE} of the sandbox")
        # Airflow's processes give themselves titles, which would overwrite what `find` knows them by.
        variables |= {processes.PART: self.name, "PYTHONUNBUFFERED": "1", "SPT_NOENV": "1"}
        for old in self._sessions():
            (self._sessions_folder / str(old)).unlink()
        return [self._begin(words, self._secrets_for(words[0], variables)) for words in _COMPONENTS]

    def _secrets_for(self, component: str, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables with the secrets that a component uses, and no others."""
        surplus = () if component in _WITH_PIPELINE else _OF_PIPELINE
        chosen = {name: value for name, value in variables.items() if name not in (_TOKEN_KEY, *surplus)}
        if component in _WITH_TOKENS:
            # The key itself would be among the variables of every task, which are the scheduler's.
            key = secrets_of(self.settings).token_key
            file = _kept(_home(self.settings) / "token.key", key)
            chosen[f"{_TOKEN_KEY}_CMD"] = shlex.join(["head", "-c", str(len(key)), str(file)])
        return chosen

    def _begin(self, words: Sequence[str], variables: Mapping[str, str]) -> psutil.Popen:
        process = processes.spawn([sys.executable, "-m", "airflow", *words], self.log, variables)
        self._sessions_folder.mkdir(mode=0o700, exist_ok=True)
        (self._sessions_folder / str(process.pid)).touch(mode=0o600)
        return process

    def find(self) -> list[psutil.Process]:
        """Its processes, the main ones first; also the workers, which let nobody read their memory."""
        return processes.find_part(self.name, self.settings.home, self._sessions())

    def _sessions(self) -> list[int]:
        """The sessions that its processes began last: a worker outlives a scheduler that was killed."""
        return [int(path.name) for path in self._sessions_folder.glob("*")]

    @property
    def _sessions_folder(self) -> Path:
        """Holds an empty file for each session, named after it: none can be half written."""
        return _home(self.settings) / "sessions"

    @property
    def address(self) -> str:
        """The address its clients use."""
        return LOOPBACK

    def answers(self, host: str) -> bool:  # noqa: ARG002 - it listens on loopback only
        """Whether all four are healthy."""
        try:
            return set(api(self.settings).health().values()) == {"healthy"}
        except AirflowApiError:
            return False


def url(settings: Settings) -> str:
    """The address of the web server."""
    return f"http://{LOOPBACK}:{settings.airflow_port}"


def secrets_of(settings: Settings) -> Secrets:
    """The passwords of this sandbox's Airflow, made when they are missing."""
    path = _home(settings) / "secrets.json"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_once(path, json.dumps(asdict(_new_secrets()), indent=2))
    try:
        return Secrets(**json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise SandboxError(
            f"{path} is damaged ({error}). Stop the sandbox and remove {path}: "
            "the next `python -m sandbox ui` makes new passwords."
        ) from error


def _new_secrets() -> Secrets:
    # HMAC with SHA-512 wants a key of 64 bytes.
    return Secrets(new_password(), new_password(), token_key=new_password() + new_password())


def api(settings: Settings) -> AirflowApi:
    """A login at its REST API."""
    return AirflowApi(url(settings), USER, secrets_of(settings).web_password)


def service_variables(settings: Settings) -> dict[str, str]:
    """Every variable of the processes, and of commands such as ``airflow backfill`` (holds secrets)."""
    secrets = secrets_of(settings)
    passwords = _kept(_home(settings) / "passwords.json", json.dumps({USER: secrets.web_password}))
    socket = f"host={settings.socket_dir}&port={postgres.PORT}"
    login = f"{_DATABASE}:{secrets.database_password}"
    return {
        **environment.variables(settings),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{login}@/{_DATABASE}?{socket}",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__BASE_URL": url(settings),
        "AIRFLOW__API__WORKERS": "1",
        # No description of every route for strangers: plugins/api_docs.py.
        "AIRFLOW__API__ENABLE_SWAGGER_UI": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url(settings)}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__PARALLELISM": str(_parallelism()),
        **FAST,
        # On a busy machine first answers take longer than the five seconds after which a task gives up.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    }


def _kept(path: Path, text: str) -> Path:
    """A private file with that text: written anew where secrets.json has been."""
    if not path.exists() or path.read_text() != text + "\n":
        path.unlink(missing_ok=True)
        write_once(path, text)
    return path


def _home(settings: Settings) -> Path:
    return settings.home / "airflow"


def _parallelism() -> int:
    """How many tasks may run at once: twice the processors, as they mostly wait for the warehouse."""
    return min(16, max(4, 2 * (os.cpu_count() or 1)))


def _make_database(settings: Settings) -> None:
    """Make the login and its database, once."""
    with postgres.connect_admin(settings, autocommit=True) as connection:
        # Always: secrets.json may have been made anew.
        password = sql.Literal(secrets_of(settings).database_password)
        rights.claim_role(connection, _DATABASE, sql.SQL("LOGIN PASSWORD {}").format(password))
        rights.give_database(connection, _DATABASE, _DATABASE)
    with postgres.connect_admin(settings, _DATABASE, autocommit=True) as connection:
        rights.give_schema_public(connection, _DATABASE)
