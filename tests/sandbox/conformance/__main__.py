"""``make conformance``: run the suite against a cluster, or the endpoint, and say what differs."""

import argparse
import sys
from contextlib import closing
from urllib.parse import unquote, urlsplit

import psycopg

from tests.sandbox.conformance.cases import Asking, Case, all_cases, difference


def main() -> int:
    """Print what differs; the exit code is 1 if something does, 2 without a connection."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("target", help="redshift://USER:PASSWORD@HOST:PORT/DATABASE (in quotes)")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    options = parser.parse_args()
    cases = [case for case in all_cases() if options.only in case.name]
    try:
        with closing(_connect(options.target)) as connection:
            asking = Asking(connection)
            return _report([(case, difference(case, asking.answer(case))) for case in cases])
    except psycopg.OperationalError as error:
        print(f"The suite needs a connection: {error}", file=sys.stderr)
        return 2


def _connect(target: str) -> psycopg.Connection:
    found = urlsplit(target)
    return psycopg.connect(
        host=found.hostname,
        port=found.port or 5439,
        user=unquote(found.username or ""),
        password=unquote(found.password or ""),
        dbname=found.path.lstrip("/"),
        client_encoding="UTF8",
    )


def _report(results: list[tuple[Case, str | None]]) -> int:
    different = [(case, text) for case, text in results if text]
    for case, text in different:
        print(f"{case.name}\n    {text}\n    source: {case.source}{' (UNCONFIRMED)' * case.is_unconfirmed}")
    settled = [case.name for case, text in results if case.is_unconfirmed and not text]
    print(f"{len(results)} statements, {len(different)} differ; unconfirmed ones that hold: {len(settled)}")
    for name in settled:
        print(f"    {name}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
