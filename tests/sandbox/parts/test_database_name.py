"""The warehouse's database has the name that its home was made with."""

import json
from contextlib import closing

import psycopg
import pytest

from sandbox import lifecycle
from sandbox.parts import environment
from sandbox.parts.settings import Settings, SettingsError
from tests.conftest import free_port


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    monkeypatch.setenv("SANDBOX_REDSHIFT_PORT", str(free_port()))
    monkeypatch.setenv("SANDBOX_AWS_PORT", str(free_port()))
    monkeypatch.setenv("SANDBOX_REDSHIFT_DATABASE", "dev")
    return home


def test_a_warehouse_called_dev_takes_clients_of_dev_only(home):
    settings = Settings.load()
    try:
        lifecycle.up(settings, ["postgres", "redshift"])
        login = {
            "host": "127.0.0.1",
            "port": settings.redshift_port,
            "user": "sparkify",
            "password": settings.password,
        }
        with closing(psycopg.connect(**login, dbname="dev", client_encoding="UTF8")) as connection:
            assert connection.execute("SELECT CURRENT_DATABASE()").fetchone() == ("dev",)
            assert connection.execute("SHOW DATABASES").fetchone()[0] == "dev"
            assert connection.execute("SHOW SCHEMAS FROM DATABASE dev LIKE 'pub%'").fetchone()[:2] == (
                "dev",
                "public",
            )
        with pytest.raises(psycopg.OperationalError, match='database "sparkify" does not exist'):
            psycopg.connect(**login, dbname="sparkify")
        assert json.loads(environment.redshift_connection(settings))["schema"] == "dev"
    finally:
        lifecycle.down(home)


def test_a_home_keeps_its_name_without_the_variable(home, monkeypatch):
    assert Settings.load().database == "dev"
    monkeypatch.delenv("SANDBOX_REDSHIFT_DATABASE")
    assert Settings.load().database == "dev"


def test_another_name_for_a_home_is_refused(home, monkeypatch):
    Settings.load()
    monkeypatch.setenv("SANDBOX_REDSHIFT_DATABASE", "dwh")
    with pytest.raises(SettingsError, match="has the database dev, and SANDBOX_REDSHIFT_DATABASE says dwh"):
        Settings.load()


def test_a_home_from_before_the_variable_has_the_default(home, monkeypatch):
    monkeypatch.delenv("SANDBOX_REDSHIFT_DATABASE")
    Settings.load()
    (home / "database").unlink()
    assert Settings.load().database == "sparkify"
    monkeypatch.setenv("SANDBOX_REDSHIFT_DATABASE", "dev")
    with pytest.raises(SettingsError, match="has the database sparkify"):
        Settings.load()


@pytest.mark.parametrize("name", ["Dev", "1st", "a-b", "airflow", "template1", "x" * 64, "d;"])
def test_what_is_no_name_of_a_warehouse_is_refused(home, monkeypatch, name):
    monkeypatch.setenv("SANDBOX_REDSHIFT_DATABASE", name)
    with pytest.raises(SettingsError, match="SANDBOX_REDSHIFT_DATABASE"):
        Settings.load()
