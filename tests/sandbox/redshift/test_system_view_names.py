"""The guide's system views are there, with the columns that it lists, or refused by name."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.redshift.dialect.system_views import DOCUMENTED
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"


@pytest.fixture(scope="module")
def client(sandbox):
    with closing(connect_psycopg(sandbox)) as connection:
        yield Client(connection)


@pytest.fixture
def there(sandbox):
    """The documented ones that are there."""
    names = admin_rows(
        sandbox, "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace"
    )
    return DOCUMENTED & {name for (name,) in names}


def test_a_view_is_there_or_refused_by_name(client, there):
    for name in sorted(there):
        client.run(f"SELECT * FROM {name} LIMIT 1")
    for name in sorted(DOCUMENTED - there):
        missing = f'relation "{name}" is not in the sandbox'
        assert client.fail(f"SELECT * FROM pg_catalog.{name}") == ("0A000", missing)


def test_what_redshift_has_not_does_not_exist(client):
    assert client.fail("SELECT * FROM svv_nothing") == ("42P01", 'relation "svv_nothing" does not exist')
    assert client.fail("SELECT * FROM public.svv_mv_info")[0] == "42P01"


def test_the_documentation_lists_the_catalogs_that_are_there(there):
    listed = set(re.findall(r"`((?:SVV|PG)_\w+)`", DOCS.read_text()))
    assert {name.upper() for name in there if name.startswith(("svv_", "pg_"))} <= listed
