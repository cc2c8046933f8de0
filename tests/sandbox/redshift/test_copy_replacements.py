"""The rows in which COPY replaced characters, as SYS_COPY_REPLACEMENTS and STL_REPLACEMENTS name them."""

import psycopg
import pytest

from tests.sandbox.redshift.copying import AS_JSON, LAST_SYS, admin_connection

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

REPLACED = "SELECT TRIM(file_name), line_number, TRIM(column_name) FROM sys_copy_replacements"
# Database Developer Guide, the pages of the views' names.
DOCUMENTED = {
    "sys_copy_replacements": [
        *("user_id integer", "query_id bigint", "table_id integer", "file_name character(256)"),
        *("column_name character(127)", "line_number bigint", "raw_line character(1024)"),
    ],
    "stl_replacements": [
        *("userid integer", "query integer", "slice integer", "tbl integer"),
        *("starttime timestamp without time zone", "session integer", "filename character(256)"),
        *("line_number bigint", "colname character(127)", "raw_line character(1024)"),
    ],
}
LAST = f"WHERE {LAST_SYS}"


@pytest.fixture
def alice(sandbox):
    """A connection of a user who has copied nothing."""
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute("CREATE USER alice PASSWORD 'Aa0alice'")
        login = {"user": "alice", "password": "Aa0alice", "dbname": sandbox.database}
        with psycopg.connect(host="127.0.0.1", port=sandbox.redshift_port, **login) as connection:
            yield connection
        admin.execute("DROP USER alice")


def test_replacements_are_logged_with_file_line_and_column_and_survive_the_rollback(warehouse, put):
    source = put(x=b'{"b": "fine"}\n{"a": 2, "b": "a\xa4b\xa4"}\n', y=b'{"b": "caf\xc3"}\n')
    warehouse.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS '^'")
    assert warehouse.run("SELECT b FROM t ORDER BY b") == [("a^b^",), ("caf^",), ("fine",)]
    [(copy_id,)] = warehouse.run("SELECT pg_last_copy_id()")
    for _ in range(2):
        assert warehouse.run(f"{REPLACED} {LAST} ORDER BY file_name") == [
            (f"{source}x", 2, "b"),
            (f"{source}y", 1, "b"),
        ]
        warehouse.connection.rollback()
    assert warehouse.run(
        "SELECT slice, session = pg_backend_pid(), TRIM(filename), line_number, TRIM(colname), "
        f"TRIM(raw_line) FROM stl_replacements WHERE query = {copy_id} AND line_number = 2"
    ) == [(0, True, f"{source}x", 2, "b", '{"a": 2, "b": "a\ufffdb\ufffd"}')]


def test_a_row_is_logged_once_with_its_first_such_column(connector, put):
    connector.run("CREATE TEMP TABLE u (a INTEGER, b VARCHAR(8), c VARCHAR(8))")
    source = put(x=b'{"a": 1, "b": "x", "c": "y"}\n{"c": "\xa4", "b": "\xa4"}\n{"c": "\\u0000"}\n')
    connector.run(f"COPY u FROM '{source}' {AS_JSON} ACCEPTINVCHARS")
    assert connector.run(f"{REPLACED} {LAST} ORDER BY line_number") == [
        (f"{source}x", 2, "b"),
        (f"{source}x", 3, "c"),
    ]


def test_a_noncharacter_is_replaced_and_logged_as_bad_bytes_are(connector, put):
    source = put(x=b'{"b": "a\xef\xbf\xbe"}\n{"b": "\\uffff"}\n{"b": "fine"}\n')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS '^'")
    assert connector.run("SELECT b FROM t ORDER BY b") == [("^^^",), ("a^^^",), ("fine",)]
    logged = connector.run(f"SELECT line_number FROM sys_copy_replacements {LAST} ORDER BY 1")
    assert logged == [(1,), (2,)]


def test_the_first_hundred_rows_of_a_copy_are_logged(connector, put):
    source = put(x=b'{"b": "\xa4"}\n' * 70, y=b'{"b": "\xa4"}\n' * 70)
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS")
    assert connector.run("SELECT COUNT(*) FROM t WHERE b = '?'") == [(140,)]
    assert connector.run(
        "SELECT RIGHT(TRIM(file_name), 1), MAX(line_number) FROM sys_copy_replacements "
        f"{LAST} GROUP BY 1 ORDER BY 1"
    ) == [("x", 70), ("y", 30)]


def test_what_needs_no_replacement_is_not_logged(connector, put):
    source = put(x='{"b": "naïve ?"}\n')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS")
    assert connector.run(f"{REPLACED} {LAST}") == []


def test_a_rejected_row_is_an_error_and_no_replacement(connector, put):
    source = put(x=b'{"a": "no", "b": "\xa4"}\n{"b": "\xa4 far too long"}\n{"b": "\xa4"}\n')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS MAXERROR 9")
    assert connector.run(f"{REPLACED} {LAST}") == [(f"{source}x", 3, "b")]
    assert connector.run(
        "SELECT line_number, err_code FROM stl_load_errors WHERE query = pg_last_copy_id() ORDER BY 1"
    ) == [(1, 1207), (2, 1204)]


def test_a_copy_that_fails_has_its_replacements_logged(connector, put):
    source = put(x=b'{"b": "\xa4"}\n{"a": "no"}\n{"b": "\xa4"}\n')
    connector.fail(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS")
    connector.connection.rollback()
    assert (f"{source}x", 1, "b") in connector.run(f"{REPLACED} {LAST}")


@pytest.mark.parametrize(("view", "columns"), DOCUMENTED.items())
def test_the_views_have_the_documented_columns(sandbox, view, columns):
    with admin_connection(sandbox) as admin:
        found = admin.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass ORDER BY attnum",
            [f"pg_catalog.{view}"],
        ).fetchall()
    assert [f"{name} {type_name}" for name, type_name in found] == columns


def test_users_see_their_own_replacements(connector, alice, put):
    source = put(x=b'{"b": "mine \xa4"}')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS")
    for committed in (False, True):
        if committed:
            connector.connection.commit()
        for view in ("sys_copy_replacements", "stl_replacements"):
            assert alice.execute(f"SELECT * FROM {view}").fetchall() == []
            assert "mine" in str(connector.run(f"SELECT raw_line FROM {view}"))
        alice.rollback()
