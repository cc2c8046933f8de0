"""Large files are converted by processes beside the endpoint's, which know and keep nothing."""

import json
import os
from contextlib import closing

import psutil

from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.parallel import pool
from sandbox.redshift.copy.parallel.lanes import JsonFile
from sandbox.redshift.copy.parallel.plan import RowPlan
from sandbox.redshift.copy.parallel.pool import Workers
from sandbox.redshift.copy.rows import Rows
from tests.sandbox.redshift.copying import AS_JSON

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

PLAN = RowPlan(
    [TargetColumn("a", "integer"), TargetColumn("b", "character varying", 8)], None, Options("auto")
)
ROW = b'{"a":1,"b":"x"}\n'


def blocks(data, size=10_000):
    return [data[start : start + size] for start in range(0, len(data), size)]


def rows_of(file):
    """All rows, and the lines of what is wrong."""
    found, wrong = b"", []
    for item in file:
        if isinstance(item, Rows):
            found += item.data
            wrong += [error.line_number for error in item.errors]
        else:
            wrong.append(item.line)
    return found, wrong


def processes_of(workers):
    return [psutil.Process(process.pid) for process in workers._processes]


def test_rows_come_in_the_files_order_and_errors_with_their_lines():
    filler = "y" * 150
    lines = [json.dumps({"a": at, "b": "x", "c": filler}).encode() + b"\n" for at in range(20_000)]
    lines[15_000] = b'{"a":"no number"}\n'
    lines[17_000] = b'{"a":\n1}\n'
    lines[18_000] = b"broken\n"
    data = b"header\n" + b"".join(lines) + b'{"a":7}'
    with closing(Workers(PLAN)) as workers:
        assert len(workers) == 2
        short = JsonFile(blocks(data), "f", PLAN.builder(), 1, workers)
        careful = JsonFile(blocks(data), "f", PLAN.builder(), 1)
        found, wrong = rows_of(short)
        assert (found, wrong) == rows_of(careful)
    assert wrong == [15_002, 18_003]
    assert found.count(b"\n") == 19_999
    assert short.lines == careful.lines == 20_003


def test_a_process_that_dies_costs_no_row():
    with closing(Workers(PLAN)) as workers:
        file = iter(JsonFile(blocks(ROW * 200_000), "f", PLAN.builder(), workers=workers))
        first = next(file)
        for process in processes_of(workers):
            process.kill()
        assert first.count + sum(rows.count for rows in file) == 200_000


def test_nothing_is_left_of_the_processes():
    workers = Workers(PLAN)
    found = processes_of(workers)
    workers.submit(ROW * 100_000)
    workers.close()
    assert not any(process.is_running() for process in found)


def test_the_processes_are_told_no_secret(monkeypatch):
    monkeypatch.setenv("SANDBOX_PASSWORD", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with closing(Workers(PLAN)) as workers:
        # They answer in turns: each is done with importing, for which it opens files.
        for process in processes_of(workers):
            assert workers.submit(ROW).result().data == b"1\tx\n"
            assert "secret" not in process.environ().values()
            assert all("secret" not in word for word in process.cmdline())
            assert [file.path for file in process.open_files()] == []


def test_the_processes_of_all_copies_together_are_few():
    with closing(Workers(PLAN)) as one:
        others = [Workers(PLAN) for _ in range(3)]
        running = len(one) + sum(map(len, others))
        for workers in others:
            workers.close()
    assert running == max(pool._MOST_OF_A_COPY, os.cpu_count() or 1)
    with closing(Workers(PLAN)) as again:
        assert len(again) == 2


def test_where_no_process_can_start_there_is_none(monkeypatch):
    monkeypatch.setattr(pool.sys, "executable", "/nonexistent")
    for _ in range(9):
        with closing(Workers(PLAN)) as workers:
            assert rows_of(JsonFile([ROW * 3], "f", PLAN.builder(), workers=workers)) == (b"1\tx\n" * 3, [])
            assert len(workers) == 0
    monkeypatch.undo()
    with closing(Workers(PLAN)) as workers:
        assert len(workers) == 2


def test_without_a_process_a_file_is_loaded_all_the_same(monkeypatch):
    monkeypatch.setattr(pool.sys, "executable", "/bin/false")
    with closing(Workers(PLAN)) as workers:
        assert rows_of(JsonFile([ROW * 3], "f", PLAN.builder(), workers=workers)) == (b"1\tx\n" * 3, [])


def test_a_large_file_with_a_bad_row_fails_with_its_line(connector, put):
    rows = [b'{"a":1,"other":"%s"}\n' % (b"x" * 200)] * 50_000
    rows[45_000] = b'{"a":"x"}\n'
    prefix = put(large=b"".join(rows))
    connector.run("BEGIN")
    assert connector.fail(f"COPY t FROM '{prefix}' {AS_JSON}")[0] == "XX000"
    connector.run("ROLLBACK")
    [[line]] = connector.run(f"SELECT line_number FROM stl_load_errors WHERE filename LIKE '{prefix}%'")
    assert line == 45_001
    connector.run(f"COPY t FROM '{prefix}' {AS_JSON} MAXERROR 2")
    assert connector.run("SELECT COUNT(*) FROM t") == [(49_999,)]
    assert connector.run("SELECT pg_last_copy_count()") == [(49_999,)]
