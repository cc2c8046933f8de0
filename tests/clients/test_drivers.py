"""Drivers of other languages and kinds, each unchanged from its lock, against the endpoint."""

import json
import shutil

import pytest

from tests.clients.environments import FOLDER, jar, node_modules, outside, run


def test_asyncpgs_pool_resets_its_connection_and_uses_it_again(client_environment):
    assert run("asyncpg", "pool.py", client_environment()) == {
        "sum": 42,
        "cursor": [[0, 1, 2, 3, 4], [5, 6, 7, 8]],
        "error": "42703",
        "backends": 1,
    }


def test_redshift_connector_writes_and_reads_frames_and_inserts_files_in_bulk(client_environment):
    assert run("redshift_connector", "frames.py", client_environment()) == {
        "frame": [[1, "a"], [2, "é"], [3, "c"]],
        "bulk": ["d", "e", "f"],
    }


@pytest.mark.skipif(shutil.which("npm") is None, reason="node and npm are not on this machine")
def test_node_postgres_pools_names_statements_and_reads_by_cursor(client_environment, raw, sample):
    environment = client_environment(NODE_PATH=str(node_modules()))
    script = str(FOLDER / "node" / "client.js")
    assert json.loads(outside([shutil.which("node"), script], environment)) == {
        "sum": 3,
        "plays": [len(sample.plays), 0],
        "rows": [[{"n": 1, "yes": True}, {"n": 2, "yes": False}], [{"n": 3, "yes": None}]],
        "type": True,
        "error": "42P01",
    }


HAS_JAVA = all(map(shutil.which, ("java", "javac", "apt-get", "dpkg-deb")))


@pytest.mark.skipif(not HAS_JAVA, reason="pgjdbc is Debian's: this needs java, javac and apt-get")
def test_pgjdbc_batches_fetches_in_parts_and_reads_the_catalog(client_environment):
    words = ["java", "-cp", str(jar()), str(FOLDER / "pgjdbc" / "Client.java")]
    assert json.loads(outside(words, client_environment())) == {
        "rows": 20,
        "columns": "n word",
        "key": "n",
        "error": "42703",
    }
