"""COPY from S3 through the endpoint, with every driver: its rows, its transaction and its log."""

import json
import random
import threading
from contextlib import closing

import psycopg
import pytest

from tests.sandbox.redshift.copying import AS_JSON, LAST_SYS, Warehouse, admin_connection

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)


def test_copy_runs_inside_the_clients_transaction(warehouse, put):
    source = put(x='{"a": 1, "b": "one"}\n{"b": "no a"}\n')
    warehouse.run(f"COPY t FROM '{source}' {AS_JSON}")
    assert warehouse.run("SELECT a, b FROM t ORDER BY a") == [(1, "one"), (None, "no a")]
    assert warehouse.run("SELECT pg_last_copy_count()") == [(2,)]
    warehouse.connection.rollback()
    assert warehouse.run("SELECT count(*) FROM t") == [(0,)]
    assert warehouse.run("SELECT pg_last_copy_id(), pg_last_copy_count()") == [(-1, 0)]


def test_a_committed_copy_is_counted_and_logged(warehouse, put):
    source = put(x='{"a": 1}', y='{"a": 2}\n{"a": 3}\n')
    warehouse.run(f"COPY t (a) FROM '{source}' {AS_JSON}")
    log = (
        "SELECT status, table_name, loaded_rows, source_file_count, source_file_bytes, error_count, "
        f"data_source FROM sys_load_history WHERE {LAST_SYS}"
    )
    # Redshift's logs are outside of any transaction: the one that copied sees them, too.
    for _ in range(2):
        assert warehouse.run(log) == [("completed", "t", 3, 2, 26, 0, source)]
        assert warehouse.run(
            "SELECT TRIM(file_name), bytes_scanned, lines_scanned FROM sys_load_detail "
            f"WHERE {LAST_SYS} ORDER BY 1"
        ) == [(f"{source}x", 8, 1), (f"{source}y", 18, 2)]
        warehouse.connection.commit()
    assert warehouse.run("SELECT COUNT(*) FROM stl_load_commits WHERE query = pg_last_copy_id()") == [(2,)]


def test_load_errors_survive_the_rollback_and_name_file_line_column_and_value(warehouse, put):
    source = put(x='{"a": 1}\n', y='{"a": 2}\n{"a": 3, "b": "far too long"}\n')
    assert warehouse.fail(f"COPY t FROM '{source}' {AS_JSON}")[:2] == (
        "XX000",
        "Load into table 't' failed.  Check 'stl_load_errors' system table for details.",
    )
    warehouse.connection.rollback()
    assert warehouse.run("SELECT count(*) FROM t") == [(0,)]
    assert warehouse.run(
        "SELECT TRIM(filename), line_number, TRIM(colname), TRIM(type), TRIM(col_length), "
        "TRIM(raw_field_value), err_code, TRIM(err_reason), TRIM(raw_line) "
        "FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [
        (
            *(f"{source}y", 2, "b", "varchar", "8", "far too long", 1204),
            *("String length exceeds DDL length", '{"a": 3, "b": "far too long"}'),
        )
    ]
    assert warehouse.run(
        "SELECT TRIM(file_name), line_number, TRIM(column_name), error_code, TRIM(error_message) "
        f"FROM sys_load_error_detail WHERE {LAST_SYS}"
    ) == [(f"{source}y", 2, "b", 1204, "String length exceeds DDL length")]
    assert warehouse.run(
        "SELECT field, TRIM(colname), TRIM(type), TRIM(value) FROM stl_loaderror_detail "
        "WHERE query = pg_last_copy_id() ORDER BY field"
    ) == [(0, "a", "int4", "3"), (1, "b", "varchar", "far too long")]
    assert warehouse.run(f"SELECT status FROM sys_load_history WHERE {LAST_SYS}") == [("aborted",)]
    assert warehouse.run("SELECT pg_last_copy_count()") == [(0,)]


def test_long_integers_load_with_every_digit_or_are_errors_of_their_column(connector, put):
    connector.run("CREATE TEMP TABLE n (d DECIMAL(38,0), v VARCHAR(64), b BIGINT, f FLOAT8)")
    digits, more = "12345678901234567890123456789012345678", "9" * 40
    source = put(
        x=f'{{"d": {digits}, "v": {more}, "f": {digits}}}\n{{"d": -{digits}}}\n',
        y=f'{{"b": 9223372036854775807}}\n{{"b": 9223372036854775808}}\n{{"d": {more}}}\n{{"f": 1e400}}\n'
        f'{{"v": {"9" * 5000}}}\n',
    )
    connector.run(f"COPY n FROM '{source}' {AS_JSON} MAXERROR 5")
    assert connector.run("SELECT d::VARCHAR(64), v, b, f FROM n ORDER BY d") == [
        (f"-{digits}", None, None, None),
        (digits, more, None, float(digits)),
        (None, None, 9223372036854775807, None),
    ]
    assert connector.run(
        "SELECT TRIM(filename), line_number, TRIM(colname), err_code FROM stl_load_errors "
        "WHERE query = pg_last_copy_id() ORDER BY line_number"
    ) == [
        (f"{source}y", 2, "b", 1222),
        (f"{source}y", 3, "d", 1204),
        (f"{source}y", 4, "f", 1204),
        (f"{source}y", 5, "v", 1204),
    ]


def test_padded_columns_are_as_wide_as_in_redshift(connector, put):
    connector.fail(f"COPY t FROM '{put(x='oops')}' {AS_JSON}")
    connector.connection.rollback()
    assert connector.run(
        "SELECT octet_length(filename), octet_length(colname), octet_length(type), octet_length(raw_line), "
        "octet_length(err_reason) FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [(256, 127, 10, 1024, 100)]


def test_maxerror_tolerates_fewer_errors_than_it_says(warehouse, put):
    source = put(x='{"a": "x"}\n{"a": 1}\njunk\n{"a": 2}\n')
    assert warehouse.fail(f"COPY t FROM '{source}' {AS_JSON} MAXERROR 2")[0] == "XX000"
    warehouse.connection.rollback()
    warehouse.run(f"COPY t FROM '{source}' {AS_JSON} MAXERROR 3")
    assert warehouse.run("SELECT a FROM t ORDER BY a") == [(1,), (2,)]
    assert warehouse.run(
        "SELECT line_number, err_code, TRIM(raw_line) FROM stl_load_errors "
        "WHERE query = pg_last_copy_id() ORDER BY line_number"
    ) == [(1, 1207, '{"a": "x"}'), (3, 1216, "junk")]
    assert warehouse.run(f"SELECT error_count FROM sys_load_history WHERE {LAST_SYS}") == [(2,)]


def test_ignoreallerrors_loads_whatever_is_good(connector, put):
    source = put(x='{"a": "x"}\n' * 2000 + '{"a": 1}\n')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} IGNOREALLERRORS")
    connector.connection.commit()
    assert connector.run(
        "SELECT count(*), max(line_number) FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [(2000, 2000)]
    assert connector.run("SELECT count(*) FROM t") == [(1,)]


def test_the_notices_say_how_many_records_were_loaded(connector, put):
    connector.connection.notices.clear()
    connector.run(f"COPY t FROM '{put(x='junk {}{}')}' {AS_JSON} MAXERROR 9")
    assert [(notice[b"S"], notice[b"M"].decode()) for notice in connector.connection.notices] == [
        (b"INFO", "Load into table 't' completed, 2 record(s) loaded successfully."),
        (
            b"INFO",
            "Load into table 't' completed, 1 record(s) could not be loaded.  "
            "Check 'stl_load_errors' system table for details.",
        ),
    ]


def test_noload_checks_without_loading(connector, put):
    source = put(x='{"a": 1}')
    connector.run(f"COPY t FROM '{source}' {AS_JSON} NOLOAD")
    assert connector.run("SELECT count(*) FROM t") == [(0,)]
    assert connector.fail(f"COPY t FROM '{put(y='x')}' {AS_JSON} NOLOAD")[0] == "XX000"


def test_invalid_utf8_is_an_error_of_its_column_or_replaced(connector, put):
    source = put(x=b'{"b": "a\xa4b"}')
    connector.fail(f"COPY t FROM '{source}' {AS_JSON}")
    connector.connection.rollback()
    assert connector.run(
        "SELECT TRIM(colname), err_code FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [("b", 1220)]
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ACCEPTINVCHARS '^'")
    assert connector.run("SELECT b FROM t") == [("a^b",)]


def test_a_nul_character_is_a_load_error_and_the_session_lives_on(connector, put):
    source = put(x='{"b": "a\\u0000b"}')
    assert connector.fail(f"COPY t FROM '{source}' {AS_JSON}")[0] == "XX000"
    connector.connection.rollback()
    assert connector.run(
        "SELECT TRIM(colname), err_code FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [("b", 1220)]


def test_defaults_apply_only_to_columns_left_out_of_the_list(connector, put):
    connector.run("CREATE TEMP TABLE d (a INT DEFAULT 7, b INT DEFAULT 8, n INT NOT NULL DEFAULT 9)")
    connector.run(f"COPY d (a) FROM '{put(x='{}')}' {AS_JSON}")
    assert connector.run("SELECT a, b, n FROM d") == [(None, 8, 9)]
    connector.fail(f"COPY d FROM '{put(x='{}')}' {AS_JSON}")
    connector.connection.rollback()
    assert connector.run(
        "SELECT TRIM(colname), err_code FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ) == [("n", 1213)]


def test_every_type_arrives_as_it_was(connector, put):
    connector.run(
        "CREATE TEMP TABLE every (s SMALLINT, i INTEGER, l BIGINT, n NUMERIC(8,2), r REAL, d FLOAT8, "
        "t BOOLEAN, c CHAR(4), v VARCHAR(20), dd DATE, ts TIMESTAMP, tz TIMESTAMPTZ)"
    )
    row = {"s": 1, "i": -2, "l": 1540919166796.0, "n": 20.259, "r": 0.1, "d": 288.9922, "t": True}
    row |= {"c": "ab", "v": 'a\\b\t\n\r"€', "dd": "2018-11-02"}
    row |= {"ts": "2018-11-02T01:25:34.796Z", "tz": "2018-11-02 01:25:34+02"}
    connector.run(f"COPY every FROM '{put(x=json.dumps(row))}' {AS_JSON} TIMEFORMAT 'auto'")
    assert connector.run(
        "SELECT s, i, l, n::VARCHAR(9), r::VARCHAR(9), d, t, c, v, dd::VARCHAR(10), ts::VARCHAR(30), "
        "tz::VARCHAR(30) FROM every"
    ) == [
        (
            *(1, -2, 1540919166796, "20.25", "0.1", 288.9922, True, "ab  ", row["v"], "2018-11-02"),
            *("2018-11-02 01:25:34.796", "2018-11-01 23:25:34+00"),
        )
    ]


@pytest.mark.parametrize(
    "options", ["TIMEFORMAT 'auto' DATEFORMAT 'auto'", "TIMEFORMAT 'epochmillisecs'", ""]
)
def test_no_value_gets_past_the_conversion_that_postgresql_refuses(connector, put, options):
    source = random.Random(f"copy {options}")
    connector.run(
        "CREATE TEMP TABLE every (s SMALLINT, i INTEGER, l BIGINT, n NUMERIC(8,2), m NUMERIC(38,37), r REAL, "
        "d FLOAT8, t BOOLEAN, c CHAR(4), v VARCHAR(6), dd DATE, ts TIMESTAMP, tz TIMESTAMPTZ)"
    )
    # One member a document: a bad one must not hide the others.
    documents = [{source.choice("silnmrdtcv"): _any_value(source)} for _ in range(2000)]
    documents += [{source.choice(["dd", "ts", "tz"]): _any_value(source)} for _ in range(2000)]
    address = put(x="\n".join(json.dumps(document) for document in documents))
    connector.run(f"COPY every FROM '{address}' {AS_JSON} {options} IGNOREALLERRORS")
    ((loaded, rejected),) = connector.run(
        f"SELECT loaded_rows, error_count FROM sys_load_history WHERE {LAST_SYS}"
    )
    assert loaded + rejected == len(documents)
    assert loaded > 500
    assert rejected > 500


def _any_value(source):
    digits = "".join(source.choices("0123456789", k=source.randrange(1, 25)))
    numbers = [
        int(digits),
        -int(digits),
        float(digits),
        source.uniform(-1e3, 1e3),
        10.0 ** source.randrange(-320, 309),
    ]
    year, month, day = source.randrange(10_000), source.randrange(14), source.randrange(33)
    clock = f"{source.randrange(26)}:{source.randrange(62):02}:{source.randrange(62):02}"
    texts = [
        *(
            "",
            " ",
            "NaN",
            "-inf",
            "\\N",
            "\\.",
            "\t\n\r",
            "a\0b",
            "\ud800",
            "äöü€",
            "\\",
            "1e5",
            "-.5",
            "+1.",
            digits,
        ),
        *(
            f"{year:04}-{month:02}-{day:02}",
            f"{year:04}-{month:02}-{day:02} {clock}",
            f"{month}/{day}/{year:04}",
        ),
        *(
            f"{year:04}-{month:02}-{day:02}T{clock}.{digits}Z",
            f"J{digits}",
            f"{clock} {source.choice(['AM', 'PM'])}",
        ),
        *(
            f"Jan-{day:02}-{year % 100:02} BC",
            f"{year:04}.{source.randrange(400):03}",
            f"2018-11-02 {clock}+{day}",
        ),
    ]
    return source.choice(
        [source.choice(numbers), source.choice(texts), source.choice(texts), True, None, {"a": [1]}]
    )


def test_users_see_their_own_loads_only(connector, sandbox, put):
    connector.fail(f"COPY t FROM '{put(x='junk')}' {AS_JSON}")
    connector.connection.rollback()
    connector.run(f"COPY t FROM '{put(x='{}')}' {AS_JSON}")
    connector.connection.commit()
    views = (
        "sys_load_history",
        "sys_load_detail",
        "sys_load_error_detail",
        "stl_load_errors",
        "stl_load_commits",
    )
    with admin_connection(sandbox) as admin:
        admin.execute("CREATE ROLE stranger")
        admin.execute("SET ROLE stranger")
        seen = [admin.execute(f"SELECT count(*) FROM {view}").fetchone()[0] for view in views]
        admin.execute("RESET ROLE")
        assert seen == [0] * len(views)
        assert all(admin.execute(f"SELECT count(*) FROM {view}").fetchone()[0] for view in views)
        admin.rollback()


def test_another_session_sees_a_load_while_it_runs_and_when_it_was_canceled(sandbox, put):
    source = put(**{f"{number:03d}": '{"a": 1}\n' * 3000 for number in range(60)})
    arguments = {"host": "127.0.0.1", "port": sandbox.redshift_port, "user": sandbox.user}
    arguments |= {"password": sandbox.password, "dbname": sandbox.database}
    with psycopg.connect(**arguments) as loader, psycopg.connect(**arguments, autocommit=True) as watcher:
        loader.execute("CREATE TEMP TABLE t (a INTEGER)")
        loader.commit()
        errors = []

        def load():
            try:
                loader.execute(f"COPY t FROM '{source}' {AS_JSON}")
            except psycopg.Error as error:
                errors.append(error)

        thread = threading.Thread(target=load)
        thread.start()
        status = f"SELECT status, end_time FROM sys_load_history WHERE data_source = '{source}'"
        while not (found := watcher.execute(status).fetchone()) and thread.is_alive():
            pass
        assert found == ("running", None)
        loader.cancel_safe()
        thread.join(timeout=30)
        assert [error.sqlstate for error in errors] == ["57014"]
        loader.rollback()
        assert watcher.execute(status).fetchone()[0] == "aborted"
        assert loader.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_load_whose_endpoint_was_killed_does_not_stay_running(connector, sandbox, put):
    source = put(x='{"a": 1}')
    gone = (
        "INSERT INTO pg_internal.transfer (kind, user_id, session_id, database_name, table_id, table_name, "
        "query_text, location, file_format, start_time, backend_start) "
        f"VALUES ('COPY', 0, 1, '', 0, 't', '', '{source}gone', 'JSON', now(), now())"
    )
    status = f"SELECT status FROM sys_load_history WHERE data_source = '{source}gone'"
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute(gone)
        assert admin.execute(status).fetchone() == ("running",)
        connector.run(f"COPY t FROM '{source}' {AS_JSON}")
        assert admin.execute(status).fetchone() == ("aborted",)


def test_logs_older_than_a_week_are_dropped(connector, sandbox, put):
    source = put(x='{"a": 1}')
    connector.run(f"COPY t FROM '{source}' {AS_JSON}")
    connector.connection.commit()
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute(
            "UPDATE pg_internal.transfer SET start_time = start_time - INTERVAL '8 days' WHERE location = %s",
            [source],
        )
    connector.run(f"COPY t FROM '{source}' {AS_JSON}")
    connector.connection.commit()
    assert connector.run(f"SELECT count(*) FROM sys_load_history WHERE data_source = '{source}'") == [(1,)]


def test_copies_at_the_same_time_are_told_apart(sandbox, put):
    sources = [put(**{f"part{number}": f'{{"a": {number}}}\n' * (number + 1)}) for number in range(6)]
    counts = {}

    def load(number):
        warehouse = Warehouse(sandbox, "redshift_connector")
        with closing(warehouse.connection):
            warehouse.run("CREATE TEMP TABLE t (a INTEGER)")
            warehouse.run(f"COPY t FROM '{sources[number]}part{number}' {AS_JSON}")
            counts[number] = warehouse.run("SELECT pg_last_copy_count(), min(a), max(a) FROM t")

    threads = [threading.Thread(target=load, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {number: [(number + 1, number, number)] for number in range(6)}


def test_a_failed_copy_leaves_the_table_as_it_was_outside_of_a_transaction(sandbox, put):
    good = put(x='{"a": 1}') + "x"
    bad = put(y='{"a": 2}', z="junk")
    warehouse = Warehouse(sandbox, "redshift_connector")
    with closing(warehouse.connection):
        warehouse.connection.autocommit = True
        warehouse.run("CREATE TEMP TABLE t (a INTEGER)")
        warehouse.run(f"COPY t FROM '{good}' {AS_JSON}")
        warehouse.fail(f"COPY t FROM '{bad}' {AS_JSON}")
        assert warehouse.run("SELECT a FROM t") == [(1,)]
