"""Ids of queries: the SYS views have others than STL views and pg_last_copy_id()."""

from tests.sandbox.redshift.copying import AS_JSON, LAST_SYS

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

SYS_VIEWS = ("sys_load_history", "sys_load_detail", "sys_load_error_detail", "sys_copy_replacements")
STL_VIEWS = ("stl_load_errors", "stl_loaderror_detail", "stl_load_commits", "stl_replacements")


def _copy(warehouse, put):
    """A COPY with a row that loads, one that does not and one with a replaced character; its source."""
    source = put(x=b'{"a": 1}\n{"a": "no"}\n{"b": "\xa4"}\n')
    warehouse.run(f"COPY t FROM '{source}x' {AS_JSON} MAXERROR 2 ACCEPTINVCHARS")
    return f"{source}x"


def test_the_sys_views_know_a_copy_by_another_id_than_pg_last_copy_id(warehouse, put):
    _copy(warehouse, put)
    for _ in range(2):  # within the transaction of the COPY, and behind it
        for view in SYS_VIEWS:
            assert warehouse.run(f"SELECT * FROM {view} WHERE query_id = pg_last_copy_id()") == [], view
            assert warehouse.run(f"SELECT * FROM {view} WHERE {LAST_SYS}"), view
        for view in STL_VIEWS:
            assert warehouse.run(f"SELECT * FROM {view} WHERE query = pg_last_copy_id()"), view
            assert (
                warehouse.run(f"SELECT * FROM {view} WHERE {LAST_SYS.replace('query_id', 'query', 1)}") == []
            )
        warehouse.connection.commit()


def test_no_id_of_one_space_is_one_of_the_other(warehouse, put):
    for _ in range(3):
        _copy(warehouse, put)
        warehouse.connection.commit()
    joined = "SELECT * FROM stl_load_errors AS l JOIN {} AS s ON s.query_id = l.query"
    for view in SYS_VIEWS:
        assert warehouse.run(joined.format(view)) == [], view
    mine = "FROM sys_load_history WHERE session_id = pg_backend_pid() ORDER BY start_time"
    ids = [row[0] for row in warehouse.run(f"SELECT query_id {mine}")]
    assert ids == sorted(set(ids))
    assert len(ids) == 3


def test_a_copy_is_found_by_its_source_and_session(warehouse, put):
    source = _copy(warehouse, put)
    found = (
        "SELECT h.status, h.loaded_rows, h.error_count, h.table_name, h.file_format, h.database_name, "
        "h.copy_job_id, h.user_id = u.usesysid, e.line_number "
        "FROM sys_load_history AS h JOIN sys_load_error_detail AS e USING (query_id) "
        "JOIN pg_user AS u ON u.usename = current_user "
        f"WHERE h.data_source = '{source}' AND h.session_id = pg_backend_pid()"
    )
    assert warehouse.run(found) == [("completed", 2, 1, "t", "json", "sparkify", 0, True, 2)]
    assert warehouse.run(found.replace("= pg_backend_pid()", "<> pg_backend_pid()")) == []


def test_the_source_of_a_copy_through_a_manifest_is_the_manifest(connector, put):
    files = put(x='{"a": 1}\n', y='{"a": 2}\n')
    entries = ", ".join(f'{{"url": "{files}{name}", "mandatory": true}}' for name in "xy")
    manifest = put(**{"m.manifest": f'{{"entries": [{entries}]}}'}) + "m.manifest"
    connector.run(f"COPY t FROM '{manifest}' MANIFEST {AS_JSON}")
    assert connector.run(f"SELECT data_source, source_file_count FROM sys_load_history WHERE {LAST_SYS}") == [
        (manifest, 2)
    ]
    assert connector.run(f"SELECT COUNT(*) FROM sys_load_detail WHERE {LAST_SYS}") == [(2,)]
