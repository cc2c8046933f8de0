"""PostgreSQL: private, durable, and started by root and by ordinary users alike."""

import contextlib
import dataclasses
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.parts import postgres, processes
from sandbox.parts.postgres import PostgresError
from sandbox.parts.settings import Settings


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@pytest.fixture
def server(settings: Settings) -> Settings:
    postgres.ensure_running(settings)
    return settings


def connect(settings: Settings, **changes: object) -> psycopg.Connection:
    arguments = {
        "host": str(settings.socket_dir),
        "user": settings.user,
        "password": settings.password,
        "dbname": settings.database,
    }
    return psycopg.connect(**{**arguments, **changes}, autocommit=True)


def kill_everything(settings: Settings) -> None:
    family = postgres.find(settings.home)
    assert family
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # the main one's end ends the others
            process.kill()
    psutil.wait_procs(family, timeout=10)


def test_what_is_committed_survives_the_killing_of_every_process(server: Settings):
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")

    kill_everything(server)
    assert not postgres.is_running(server)
    postgres.ensure_running(server)

    with connect(server) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_starting_it_twice_keeps_the_running_server(server: Settings):
    before = postgres.find(server.home)[0].pid

    postgres.ensure_running(server)

    assert postgres.find(server.home)[0].pid == before


def test_it_listens_on_no_port(server: Settings):
    assert postgres.find(server.home)[0].net_connections("inet") == []


def test_it_never_runs_as_root(server: Settings):
    assert postgres.find(server.home)[0].uids().effective != 0


@pytest.mark.parametrize("user", ["sparkify", "rdsdb"])
def test_the_socket_asks_for_the_password(server: Settings, user: str):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(server, user=user, password="wrong")


def test_no_password_is_in_the_log_or_on_a_command_line(server: Settings):
    with connect(server) as connection, pytest.raises(psycopg.Error):
        connection.execute("CREATE USER other PASSWORD 'kept-out-of-the-log' NONSENSE")

    log = postgres.log_file(server).read_text()
    words = " ".join(postgres.find(server.home)[0].cmdline())
    for secret in (server.password, server.admin_password, "kept-out-of-the-log"):
        assert secret not in log + words


def test_the_user_owns_the_database_and_makes_groups_without_being_a_superuser(server: Settings):
    with connect(server) as connection:
        connection.execute("CREATE SCHEMA mine")
        connection.execute("CREATE TABLE public.also_mine (id int)")
        connection.execute("DROP SCHEMA mine")
        role = connection.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert role.fetchone() == (False, True)


def test_the_admin_connects_by_the_dsn(server: Settings):
    with psycopg.connect(postgres.admin_dsn(server)) as connection:
        query = "SELECT current_user, current_database(), current_setting('timezone')"
        assert connection.execute(query).fetchone() == ("rdsdb", "sparkify", "UTC")


def test_strings_are_ordered_by_their_bytes_and_upper_knows_every_letter(server: Settings):
    with connect(server) as connection:
        query = "SELECT s FROM (VALUES ('a'), ('B'), ('é'), ('z')) v(s) ORDER BY s"
        assert [row[0] for row in connection.execute(query)] == ["B", "a", "z", "é"]
        assert connection.execute("SELECT upper('björk')").fetchone() == ("BJÖRK",)


def test_a_lock_file_with_another_programs_process_id_does_not_keep_it_from_starting(server: Settings):
    kill_everything(server)
    lock_file = server.home / "postgres" / "postmaster.pid"
    lines = lock_file.read_text().splitlines()
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    postgres.ensure_running(server)

    assert postgres.is_running(server)


def test_a_killed_server_whose_children_live_on_is_replaced(server: Settings):
    with connect(server) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend is not None
        psutil.Process(backend[0]).suspend()  # it cannot notice that the server is gone
        postgres.find(server.home)[0].kill()

        postgres.ensure_running(server)

        assert postgres.is_running(server)


def test_stopping_leaves_no_process_and_may_be_repeated(server: Settings):
    postgres.stop(server)

    assert postgres.find(server.home) == []
    assert not postgres.is_running(server)
    postgres.stop(server)


def test_other_credentials_than_the_datas_are_reported(server: Settings):
    with pytest.raises(PostgresError, match=r"credentials\.json"):
        postgres.ensure_running(dataclasses.replace(server, admin_password="another"))


def test_an_interrupted_initialisation_is_begun_anew(new_settings: Callable[[], Settings]):
    settings = new_settings()
    unfinished = settings.home / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("16\n")

    postgres.ensure_running(settings)

    assert postgres.is_running(settings)
    assert not unfinished.exists()
    postgres.stop(settings)


@pytest.fixture
def far_away(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    """Settings whose home is too long for a socket."""
    near = new_settings()
    folder = Path(tempfile.mkdtemp(dir=near.home))
    settings = dataclasses.replace(near, home=folder / ("long" * 30) / "home")
    settings.home.mkdir(parents=True)
    yield settings
    postgres.stop(settings)
    shutil.rmtree(settings.socket_dir, ignore_errors=True)


def test_a_long_home_gets_a_short_private_folder_for_its_socket(far_away: Settings):
    postgres.ensure_running(far_away)

    assert far_away.home not in far_away.socket_dir.parents
    assert stat.S_IMODE(far_away.socket_dir.stat().st_mode) == 0o700
    with connect(far_away) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    postgres.stop(far_away)
    assert not far_away.socket_dir.exists()


def test_a_socket_folder_that_others_can_enter_is_refused(far_away: Settings):
    far_away.socket_dir.mkdir(mode=0o777)
    far_away.socket_dir.chmod(0o777)
    (far_away.socket_dir / ".s.PGSQL.5432").touch()

    with pytest.raises(PostgresError, match="private folder"):
        postgres.ensure_running(far_away)

    assert postgres.find(far_away.home) == []


def test_a_link_in_place_of_the_socket_folder_is_refused(far_away: Settings, tmp_path: Path):
    far_away.socket_dir.symlink_to(tmp_path)

    with pytest.raises(PostgresError, match="private folder"):
        postgres.ensure_running(far_away)
    far_away.socket_dir.unlink()


def test_a_server_that_ends_while_starting_is_reported_with_the_end_of_its_log(
    new_settings: Callable[[], Settings],
):
    settings = new_settings()
    postgres.ensure_running(settings)
    postgres.stop(settings)
    (settings.home / "postgres" / "global" / "pg_control").unlink()

    with pytest.raises(processes.ProcessError, match="pg_control"):
        postgres.ensure_running(settings)

    assert postgres.find(settings.home) == []
