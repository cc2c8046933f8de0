"""The catalogs as clients ask them: what tables declare, keys, columns, late-binding views."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift

# As sqlalchemy-redshift, redshift_connector's metadata calls and DBeaver ask.
KEYS = """
    SELECT t.contype, t.conname, t.conkey, t.confkey, r.relname, pg_get_constraintdef(t.oid, true)
    FROM pg_catalog.pg_constraint t
    JOIN pg_catalog.pg_class c ON t.conrelid = c.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class r ON r.oid = t.confrelid
    WHERE n.nspname = 'catalogs' AND c.relname = '{table}' ORDER BY t.conname"""
PRIMARY_KEYS = """
    SELECT ct.relname, a.attname, a.attnum, ci.relname, pg_catalog.pg_get_indexdef(ci.oid)
    FROM pg_catalog.pg_namespace n, pg_catalog.pg_class ct, pg_catalog.pg_class ci, pg_catalog.pg_attribute a,
        pg_catalog.pg_index i
    WHERE ct.oid = i.indrelid AND ci.oid = i.indexrelid AND a.attrelid = ci.oid AND i.indisprimary
        AND ct.relnamespace = n.oid AND n.nspname = 'catalogs' AND ct.relname = '{table}'
    ORDER BY a.attnum"""
# As Amazon's JDBC driver and pgjdbc ask for imported keys, the former as to PostgreSQL 8.
FOREIGN_KEYS = """
    SELECT pkc.relname, pka.attname, fkc.relname, fka.attname, pos.n, con.conname, pkic.relname
    FROM pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_namespace fkn,
        pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con,
        pg_catalog.generate_series(1, 32) pos(n), pg_catalog.pg_depend dep, pg_catalog.pg_class pkic
    WHERE pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid
        AND fkn.oid = fkc.relnamespace AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n]
        AND con.conrelid = fkc.oid AND con.contype = 'f' AND con.oid = dep.objid AND pkic.oid = dep.refobjid
        AND pkic.oid = con.conindid AND pkic.relkind = 'i' AND dep.classid = 'pg_constraint'::regclass::oid
        AND dep.refclassid = 'pg_class'::regclass::oid AND fkn.nspname = 'catalogs' ORDER BY pos.n"""
COLUMNS = """
    SELECT att.attname, trim(format_encoding(att.attencodingtype::integer)), attisdistkey, attsortkeyord
    FROM pg_attribute att JOIN pg_class c ON att.attrelid = c.oid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE att.attnum > 0 AND n.nspname = 'catalogs' AND c.relname = '{table}' ORDER BY att.attnum"""


@pytest.fixture(scope="module")
def connection(sandbox):
    with closing(connect_redshift(sandbox)) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def client(connection):
    """A client with a schema `catalogs` of its own, first on its path."""
    client = Client(connection)
    client.run("CREATE SCHEMA catalogs")
    client.run("SET search_path TO catalogs")
    yield client
    client.run("DROP SCHEMA catalogs CASCADE")


@pytest.fixture
def tables(client):
    """Two tables with keys, one of which refers to the other."""
    client.run("CREATE TABLE songs (song_id INT PRIMARY KEY, title VARCHAR(9) UNIQUE) DISTSTYLE ALL")
    client.run(
        """CREATE TABLE plays (
            play_id BIGINT IDENTITY(1, 1), song_id INT DISTKEY REFERENCES songs,
            at TIMESTAMP SORTKEY ENCODE raw, level CHAR(4) DEFAULT 'free' ENCODE bytedict,
            PRIMARY KEY (play_id, song_id))"""
    )


@pytest.mark.usefixtures("tables")
def test_declared_keys_are_constraints(client):
    assert client.run(KEYS.format(table="plays")) == [
        ("p", "plays_pkey", [1, 2], None, None, "PRIMARY KEY (play_id, song_id)"),
        ("f", "plays_song_id_fkey", [2], [1], "songs", "FOREIGN KEY (song_id) REFERENCES songs(song_id)"),
    ]
    assert client.run(KEYS.format(table="songs")) == [
        ("p", "songs_pkey", [1], None, None, "PRIMARY KEY (song_id)"),
        ("u", "songs_title_key", [2], None, None, "UNIQUE (title)"),
    ]


@pytest.mark.usefixtures("tables")
def test_primary_keys_have_the_index_that_drivers_look_for(client):
    index = "CREATE UNIQUE INDEX plays_pkey ON plays USING btree (play_id, song_id)"
    assert client.run(PRIMARY_KEYS.format(table="plays")) == [
        ("plays", "play_id", 1, "plays_pkey", index),
        ("plays", "song_id", 2, "plays_pkey", index),
    ]


@pytest.mark.usefixtures("tables")
def test_foreign_keys_lead_to_the_key_that_they_refer_to(client):
    assert client.run(FOREIGN_KEYS) == [
        ("songs", "song_id", "plays", "song_id", 1, "plays_song_id_fkey", "songs_pkey")
    ]


@pytest.mark.usefixtures("tables")
def test_the_sort_keys_own_index_is_in_no_catalog(client):
    indexes = (
        "SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relname = 'plays'"
    )
    [(only,)] = client.run(indexes)
    assert client.run(f"SELECT relname FROM pg_class WHERE oid = {only}") == [("plays_pkey",)]
    listed = (
        "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'catalogs'"
    )
    assert sorted(client.run(f"{listed} AND relkind = 'i'")) == [
        ("plays_pkey",),
        ("songs_pkey",),
        ("songs_title_key",),
    ]


@pytest.mark.usefixtures("tables")
def test_keys_go_with_their_table_and_with_their_parent(client):
    client.run("DROP TABLE songs")
    assert client.run(KEYS.format(table="songs")) == []
    assert [row[1] for row in client.run(KEYS.format(table="plays"))] == ["plays_pkey"]
    client.run("ALTER TABLE plays DROP CONSTRAINT plays_pkey")
    assert client.run(KEYS.format(table="plays")) == []


@pytest.mark.usefixtures("tables")
def test_pg_attribute_and_pg_class_have_what_the_table_declares(client):
    assert client.run(COLUMNS.format(table="plays")) == [
        ("play_id", "az64", False, 0),
        ("song_id", "az64", True, 0),
        ("at", "none", False, 1),
        ("level", "bytedict", False, 0),
    ]
    client.run("CREATE TABLE even (a INT) DISTSTYLE EVEN")
    client.run("CREATE TABLE free (a INT)")
    styles = (
        "SELECT relname, reldiststyle FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND nspname = 'catalogs'"
    )
    assert sorted(client.run(styles)) == [("even", 0), ("free", 9), ("plays", 1), ("songs", 8)]


def test_interleaved_sort_keys_alternate_their_sign(client):
    client.run("CREATE TABLE mixed (a INT, b INT, c INT) INTERLEAVED SORTKEY (c, a, b)")
    assert [row[3] for row in client.run(COLUMNS.format(table="mixed"))] == [2, -3, -1]
    assert client.run("SELECT sortkey FROM pg_table_def WHERE tablename = 'mixed'") == [(2,), (-3,), (-1,)]


@pytest.mark.usefixtures("tables")
def test_defaults_have_their_source_as_in_postgresql_8(client):
    rows = client.run(
        "SELECT attname, adsrc, atthasdef FROM pg_attribute"
        " JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid = 'plays'::regclass ORDER BY attnum"
    )
    assert [(name, has) for name, _, has in rows] == [("play_id", True), ("level", True)]
    assert [source.split("(")[0] for _, source, _ in rows] == ['"identity"', "'free'::bpchar"]


def columns_of(client, view):
    """A view's columns in information_schema.columns, pg_attribute, SVV_COLUMNS and the function."""
    late = (
        "SELECT col_name, col_type, num FROM pg_get_late_binding_view_cols()"
        " cols(schema_name name, view_name name, col_name name, col_type varchar, num int)"
        f" WHERE schema_name = 'catalogs' AND view_name = '{view}'"
    )
    return (
        client.run(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{view}'"),
        client.run(f"SELECT attname FROM pg_attribute WHERE attrelid = '{view}'::regclass AND attnum > 0"),
        client.run(f"SELECT column_name FROM svv_columns WHERE table_name = '{view}'"),
        client.run(late),
    )


@pytest.mark.usefixtures("tables")
def test_only_the_function_and_svv_columns_list_columns_of_a_late_binding_view(client):
    ordinary, late = [("title",)], [("title", "character varying(9)", 1)]
    client.run("CREATE VIEW titles AS SELECT title FROM songs")
    assert columns_of(client, "titles") == (ordinary, ordinary, ordinary, [])
    client.run("CREATE OR REPLACE VIEW titles AS SELECT title FROM catalogs.songs WITH NO SCHEMA BINDING")
    assert columns_of(client, "titles") == ([], [], ordinary, late)
    client.run("CREATE OR REPLACE VIEW titles AS SELECT title FROM songs")
    assert columns_of(client, "titles") == (ordinary, ordinary, ordinary, [])


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("query", ["SELECT title FROM songs", "SELECT 1 FROM catalogs.plays, songs"])
def test_a_late_binding_view_names_the_schemas_of_its_tables(client, query):
    state, message = client.fail(f"CREATE VIEW v AS {query} WITH NO SCHEMA BINDING")
    assert (state, "relation names inside should be qualified" in message) == ("42601", True)
    client.run(
        "CREATE VIEW v AS WITH s AS (SELECT 1 FROM catalogs.songs) SELECT * FROM s WITH NO SCHEMA BINDING"
    )


def test_a_late_binding_view_is_not_recursive(client):
    recursive = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3) SELECT n FROM s"
    assert client.fail(f"CREATE VIEW v AS {recursive} WITH NO SCHEMA BINDING")[0] == "0A000"


@pytest.mark.usefixtures("tables")
def test_a_view_cannot_be_written(client):
    client.run("CREATE VIEW v AS SELECT song_id, title FROM songs")
    for statement in ("INSERT INTO v VALUES (1, 'a')", "UPDATE v SET title = 'b'", "DELETE FROM v"):
        assert client.fail(statement) == ("42501", "permission denied for view v")
    assert client.run("SELECT * FROM v") == []


@pytest.mark.usefixtures("tables")
def test_pg_get_cols_describes_a_table(client):
    rows = client.run(
        "SELECT * FROM pg_get_cols('catalogs.songs') cols(s name, t name, col name, type varchar, num int)"
    )
    assert rows == [
        ("catalogs", "songs", "song_id", "integer", 1),
        ("catalogs", "songs", "title", "character varying(9)", 2),
    ]
    assert client.run("SELECT pg_get_cols('songs')")[0] == ("(catalogs,songs,song_id,integer,1)",)
    assert client.fail("SELECT pg_get_cols('nothing')")[0] == "42P01"


def test_redshift_connectors_own_calls_find_tables_and_keys(client, tables):
    cursor = client.connection.cursor()
    assert cursor.get_primary_keys(schema="catalogs", table="plays")[1][2:] == [
        "plays",
        "song_id",
        2,
        "plays_pkey",
    ]
    assert ["catalogs", "plays"] in [row[1:3] for row in cursor.get_tables()]
    assert cursor.get_catalogs()[0] == ["sparkify"]
    [[*imported]] = cursor.get_imported_keys(schema="catalogs", table="plays")
    assert imported[1:8] == ["catalogs", "songs", "song_id", "sparkify", "catalogs", "plays", "song_id"]
    assert [list(key) for key in cursor.get_exported_keys(schema="catalogs", table="songs")] == [imported]
    client.run("GRANT SELECT ON songs TO PUBLIC")
    client.run("GRANT SELECT (title) ON songs TO PUBLIC")
    [privilege] = cursor.get_table_privileges(schema_pattern="catalogs", table_name_pattern="songs")
    assert privilege[2:6] == ["songs", "sparkify", "public", "SELECT"]
    [privilege] = cursor.get_column_privileges(schema="catalogs", table="songs")
    assert privilege[2:7] == ["songs", "title", "sparkify", "public", "SELECT"]
    [row] = cursor.get_best_row_identifier(schema="catalogs", table="songs")
    assert row[1] == "song_id"
    columns = cursor.get_columns(schema_pattern="cata%", tablename_pattern="songs")
    assert [column[3] for column in columns] == ["song_id", "title"]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    "kind", ["get_procedures", "get_procedure_columns", "get_functions", "get_function_columns"]
)
def test_users_have_no_functions_and_no_procedures(client, kind):
    assert getattr(client.connection.cursor(), kind)(schema_pattern="catalogs") == ()


def test_redshift_connector_inserts_a_file(client, tmp_path):
    client.run("CREATE TABLE filled (a INT, b VARCHAR(9))")
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,y\n")
    cursor = client.connection.cursor()
    cursor.insert_data_bulk(str(tmp_path / "rows.csv"), "catalogs.filled", [0, 1], ["a", "b"], ",", 2)
    assert client.run("SELECT * FROM filled ORDER BY a") == [(1, "x"), (2, "y")]


def test_others_learn_of_grants_only_what_is_theirs(sandbox, client):
    client.run("CREATE USER reader PASSWORD 'Aa0reader'")
    client.run("CREATE GROUP readers WITH USER reader")
    client.run("CREATE USER stranger PASSWORD 'Aa0reader'")
    grants = (
        "SELECT relation_name, privilege_type, identity_name, identity_type = 'user', admin_option"
        " FROM svv_relation_privileges WHERE namespace_name = 'catalogs' ORDER BY identity_name"
    )
    try:
        client.run("CREATE TABLE t (a INT)")
        client.run("GRANT SELECT ON t TO reader WITH GRANT OPTION")
        client.run("GRANT INSERT ON t TO GROUP readers")
        client.run("GRANT USAGE ON SCHEMA catalogs TO reader")
        seen = [("t", "SELECT", "reader", True, True), ("t", "INSERT", "readers", False, False)]
        assert client.run(grants) == seen
        for user, rows in (("reader", seen), ("stranger", [])):
            with closing(connect_psycopg(sandbox, user=user, password="Aa0reader")) as session:
                other = Client(session)
                assert other.run(grants) == rows
                assert other.run("SELECT user_name FROM svv_user_info") == [(user,)]
                assert other.fail("SELECT * FROM pg_user_info")[0] == "42501"
        assert client.run("SELECT usesuper FROM pg_user_info WHERE usename = 'reader'") == [(False,)]
    finally:
        client.run("DROP SCHEMA catalogs CASCADE")
        client.run("CREATE SCHEMA catalogs")
        client.run("DROP GROUP readers")
        client.run("DROP USER reader")
        client.run("DROP USER stranger")


@pytest.fixture
def late(client):
    """A late-binding view of a table with a row."""
    client.run("CREATE TABLE events (id INT, name VARCHAR(9))")
    client.run("INSERT INTO events VALUES (1, 'old')")
    client.run("CREATE VIEW late AS SELECT id, name FROM catalogs.events WITH NO SCHEMA BINDING")


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("drop", ["DROP TABLE events", "DROP TABLE events CASCADE"])
def test_a_late_binding_view_outlives_its_table(client, drop):
    client.run("GRANT SELECT ON late TO PUBLIC")
    client.run(drop)
    assert client.fail("SELECT * FROM late")[0] == "42P01"
    assert columns_of(client, "late")[3] == [("id", "integer", 1), ("name", "character varying(9)", 2)]
    client.run("CREATE TABLE events (id INT, name VARCHAR(9), more INT)")
    client.run("INSERT INTO events VALUES (2, 'new')")
    assert client.run("SELECT * FROM late") == [(2, "new")]
    grants = "SELECT identity_name FROM svv_relation_privileges WHERE relation_name = 'late'"
    assert client.run(grants) == [("public",)]


@pytest.mark.usefixtures("late")
def test_a_late_binding_view_follows_a_name_to_another_table(client):
    client.run("CREATE TABLE events_new AS SELECT 2 AS id, 'new'::VARCHAR(9) AS name")
    client.run("BEGIN")
    client.run("ALTER TABLE events RENAME TO events_old")
    client.run("ALTER TABLE events_new RENAME TO events")
    client.run("DROP TABLE events_old")
    client.run("COMMIT")
    assert client.run("SELECT * FROM late") == [(2, "new")]


@pytest.mark.usefixtures("late")
def test_a_late_binding_view_lets_its_table_change(client):
    client.run("ALTER TABLE events ADD COLUMN more INT")
    client.run("ALTER TABLE events DROP COLUMN name")
    assert client.fail("SELECT * FROM late")[0] == "42P01"
    client.run("ALTER TABLE events ADD COLUMN name VARCHAR(9)")
    assert client.run("SELECT * FROM late") == [(1, None)]


def test_a_late_binding_view_may_come_before_its_table(client):
    early = "SELECT id, COUNT(*) AS n FROM catalogs.later GROUP BY id"
    client.run(f"CREATE VIEW early AS {early} WITH NO SCHEMA BINDING")
    client.run("CREATE VIEW of_early AS SELECT * FROM catalogs.early WITH NO SCHEMA BINDING")
    client.run("GRANT SELECT ON early TO PUBLIC")
    assert [client.fail(f"SELECT * FROM {view}")[0] for view in ("early", "of_early")] == ["42P01", "42P01"]
    assert columns_of(client, "early")[3] == []
    client.run("CREATE TABLE later AS SELECT 7 AS id")
    assert client.run("SELECT id, n FROM of_early") == [(7, 1)]
    assert columns_of(client, "early")[3] == [("id", "integer", 1), ("n", "bigint", 2)]
    grants = "SELECT identity_name FROM svv_relation_privileges WHERE relation_name = 'early'"
    assert client.run(grants) == [("public",)]


@pytest.mark.usefixtures("late")
def test_a_late_binding_view_is_replaced_by_one_whose_table_is_missing(client):
    client.run("CREATE OR REPLACE VIEW late AS SELECT id, name FROM catalogs.nowhere WITH NO SCHEMA BINDING")
    assert client.fail("SELECT * FROM late")[0] == "42P01"
    client.run("CREATE OR REPLACE VIEW late AS SELECT name FROM catalogs.events WITH NO SCHEMA BINDING")
    assert client.run("SELECT * FROM late") == [("old",)]


def test_a_late_binding_view_is_answered_as_a_view(sandbox):
    with closing(connect_psycopg(sandbox)) as connection:
        made = "CREATE VIEW public.answered AS SELECT a FROM public.nowhere WITH NO SCHEMA BINDING"
        assert connection.execute(made).statusmessage == "CREATE VIEW"
        assert connection.execute("DROP VIEW public.answered").statusmessage == "DROP VIEW"


@pytest.mark.usefixtures("late")
def test_a_bound_view_keeps_its_table(client):
    client.run("CREATE VIEW bound AS SELECT id FROM events")
    assert client.fail("DROP TABLE events")[0] == "2BP01"
    assert client.run("SELECT * FROM late") == [(1, "old")]


def test_the_text_of_a_view_is_not_run_by_who_is_given_it(sandbox, client):
    client.run("CREATE USER planter PASSWORD 'Aa0planter'")
    client.run("GRANT USAGE, CREATE ON SCHEMA catalogs TO planter")
    try:
        with closing(connect_psycopg(sandbox, user="planter", password="Aa0planter")) as session:
            planter = Client(session)
            planter.run("CREATE TABLE catalogs.bait (a INT)")
            planter.run("CREATE VIEW catalogs.planted AS SELECT a FROM catalogs.bait WITH NO SCHEMA BINDING")
            planted = "AS SELECT a FROM catalogs.bait; CREATE TABLE catalogs.by_victim (a INT)"
            planter.run(f"SELECT pg_internal.set_late_binding('catalogs.planted', '{planted}')")
            planter.run("DROP TABLE catalogs.bait CASCADE")
        client.run("ALTER TABLE planted OWNER TO sparkify")
        client.run("CREATE TABLE bait (a INT)")
        assert client.run("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'by_victim'") == [(0,)]
    finally:
        client.run("DROP SCHEMA catalogs CASCADE")
        client.run("CREATE SCHEMA catalogs")
        client.run("REVOKE ALL ON SCHEMA public FROM planter")
        client.run("DROP USER planter")
