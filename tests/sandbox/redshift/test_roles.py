"""Roles and groups give their rights to who is in them; SHOW tells of what one may see."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg

PASSWORD = "Aa0reader"


@pytest.fixture
def master(sandbox):
    with closing(connect_psycopg(sandbox, client_encoding="UTF8")) as connection:
        client = Client(connection)
        client.run(f"CREATE USER role_reader PASSWORD '{PASSWORD}' SESSION TIMEOUT 600")
        client.run("CREATE SCHEMA role_schema")
        client.run("CREATE TABLE role_schema.plays (id INTEGER)")
        client.run("CREATE ROLE role_readers")
        client.run("CREATE GROUP role_group")
        try:
            yield client
        finally:
            client.run("DROP SCHEMA role_schema CASCADE")
            client.run("DROP USER role_reader")
            client.run("DROP ROLE role_readers FORCE")
            client.run("DROP GROUP role_group")


@pytest.fixture
def reader(sandbox, master):
    login = {"user": "role_reader", "password": PASSWORD, "client_encoding": "UTF8"}
    with closing(connect_psycopg(sandbox, **login)) as connection:
        yield Client(connection)


def test_a_role_gives_its_rights_to_whom_it_is_granted(master, reader):
    master.run("GRANT USAGE ON SCHEMA role_schema TO ROLE role_readers")
    master.run("GRANT SELECT ON role_schema.plays TO ROLE role_readers")
    assert reader.fail("SELECT * FROM role_schema.plays")[0] == "42501"
    master.run("GRANT ROLE role_readers TO role_reader")
    assert reader.run("SELECT COUNT(*) FROM role_schema.plays") == [(0,)]
    master.run("REVOKE ROLE role_readers FROM role_reader")
    assert reader.fail("SELECT * FROM role_schema.plays")[0] == "42501"


def test_a_group_gives_its_rights_to_its_users(master, reader):
    master.run("GRANT ALL ON SCHEMA role_schema TO GROUP role_group")
    master.run("GRANT SELECT ON ALL TABLES IN SCHEMA role_schema TO GROUP role_group")
    master.run("ALTER GROUP role_group ADD USER role_reader")
    assert reader.run("SELECT COUNT(*) FROM role_schema.plays") == [(0,)]
    master.run("ALTER GROUP role_group DROP USER role_reader")
    assert reader.fail("SELECT * FROM role_schema.plays")[0] == "42501"


def test_a_session_timeout_holds_for_the_users_sessions(reader):
    assert reader.run("SHOW idle_session_timeout") == [("10min",)]


def test_show_lists_what_the_user_may_see(master, reader):
    assert reader.run("SHOW TABLES FROM SCHEMA role_schema") == []
    assert reader.run("SHOW COLUMNS FROM TABLE role_schema.plays") == []
    assert reader.run("SHOW SCHEMAS FROM DATABASE sparkify LIKE 'role%'") == []
    master.run("GRANT USAGE ON SCHEMA role_schema TO role_reader")
    master.run("GRANT SELECT ON role_schema.plays TO role_reader")
    tables = reader.run("SHOW TABLES FROM SCHEMA role_schema")
    assert [row[:4] for row in tables] == [("sparkify", "role_schema", "plays", "TABLE")]
    assert [row[3] for row in reader.run("SHOW COLUMNS FROM TABLE role_schema.plays")] == ["id"]


def test_show_grants_tells_users_roles_and_groups_apart(master):
    readers = "role_reader, ROLE role_readers, GROUP role_group, PUBLIC"
    master.run(f"GRANT SELECT ON role_schema.plays TO {readers}")
    grants = master.run("SHOW GRANTS ON TABLE role_schema.plays")
    named = [dict(zip(master.columns, row, strict=True)) for row in grants]
    assert [(row["identity_name"], row["identity_type"]) for row in named] == [
        ("public", "public"),
        ("role_group", "group"),
        ("role_reader", "user"),
        ("role_readers", "role"),
    ]
    of_role = master.run("SHOW GRANTS FOR ROLE role_readers")
    assert [row[1:5] for row in of_role] == [("role_schema", "plays", "TABLE", "SELECT")]


def test_what_asyncpgs_pool_sends_with_a_returned_connection_passes(master):
    master.run("CLOSE ALL; UNLISTEN *; RESET ALL")
    assert master.run("SELECT 1") == [(1,)]
