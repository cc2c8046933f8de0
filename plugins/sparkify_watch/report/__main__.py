"""``python -m sparkify_watch.report --out FILE``: the report over an Airflow connection."""

import argparse
import logging
import sys
from pathlib import Path

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from sparkify.failures import explain
from sparkify.operators.connection import check_host, make_opener
from sparkify.warehouse.tries import run_load
from sparkify_watch.report.making import make_report

_LOG = logging.getLogger("sparkify_watch.report")


def main() -> int:
    """Write the report; return 0, or 1 with a message where the warehouse cannot be asked."""
    words = _parse()
    what = f"The report over connection {words.conn_id}"
    try:
        text = _make(words.conn_id, what)
    except AirflowNotFoundException:
        return _fail(
            f"There is no Airflow connection {words.conn_id}: set AIRFLOW_CONN_{words.conn_id.upper()}, "
            "or use `make report`, which finds one."
        )
    except Exception as error:  # whatever it is, `explain` says what to do
        return _fail(explain(error, what))
    words.out.parent.mkdir(parents=True, exist_ok=True)
    words.out.write_text(text, "utf-8")
    sys.stdout.write(f"{words.out.resolve()}\n")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sparkify_watch.report", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the page is written")
    parser.add_argument("--conn-id", default="redshift_default", help="of the Airflow connection")
    return parser.parse_args()


def _make(conn_id: str, what: str) -> str:
    connection = Connection.get(conn_id)
    check_host(connection, what)
    connect = make_opener(connection.get_hook(), "report")
    return run_load(connect, make_report, what=what, log=_LOG, journal=[], tries=2)


def _fail(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
