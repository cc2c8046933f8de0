"""A client with a schema of its own."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift


@pytest.fixture(params=["redshift_connector", "psycopg"])
def client(sandbox, request):
    """A client with a schema `tables` of its own, first on its path."""
    connect = connect_psycopg if request.param == "psycopg" else connect_redshift
    with closing(connect(sandbox)) as connection:
        connection.autocommit = True
        client = Client(connection)
        client.run("CREATE SCHEMA tables")
        client.run("SET search_path TO tables")
        yield client
        client.run("DROP SCHEMA tables CASCADE")
