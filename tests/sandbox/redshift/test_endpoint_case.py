"""enable_case_sensitive_identifier, as its page of the guide has it, when a session begins with it."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg

OPTION = "enable_case_sensitive_identifier"


def client(settings, options):
    return closing(connect_psycopg(settings, client_encoding="UTF8", options=options))


@pytest.mark.parametrize("options", [f"-c {OPTION}=on", f"-c {OPTION}=true -c search_path=public"])
def test_names_in_quotes_keep_their_capitals_in_a_session_that_asks_for_it(sandbox, options):
    with client(sandbox, options) as connection:
        session = Client(connection)
        session.run('CREATE TEMP TABLE "MixedCase" ("MixedColumn" INTEGER)')
        session.run("CREATE TEMP TABLE MixedCase (MixedColumn INTEGER)")
        session.run('INSERT INTO "MixedCase" VALUES (1)')
        assert session.run('SELECT "MixedColumn" FROM "MixedCase"') == [(1,)]
        assert session.columns == ["MixedColumn"]
        assert session.run("SELECT MIXEDCOLUMN FROM MIXEDCASE") == []
        assert session.fail('SELECT "mixedcolumn" FROM "MixedCase"')[0] == "42703"


@pytest.mark.parametrize("options", ["", f"-c {OPTION}=off", f"-c {OPTION}=on -c {OPTION}=false"])
def test_they_lose_them_in_all_others(sandbox, options):
    with client(sandbox, options) as connection:
        session = Client(connection)
        session.run('CREATE TEMP TABLE "MixedCase" ("MixedColumn" INTEGER)')
        assert session.fail("CREATE TEMP TABLE mixedcase (a INTEGER)")[0] == "42P07"


def test_what_is_neither_on_nor_off_is_refused(sandbox):
    with pytest.raises(Exception, match=OPTION), client(sandbox, f"-c {OPTION}=maybe"):
        pass


def test_a_table_whose_name_has_capitals_keeps_its_keys(sandbox):
    with client(sandbox, f"-c {OPTION}=on") as connection:
        session = Client(connection)
        session.run('CREATE TABLE "MixedKeys" ("Key" VARCHAR(4) DISTKEY SORTKEY)')
        try:
            session.run("INSERT INTO \"MixedKeys\" VALUES ('éé')")
            assert session.fail("INSERT INTO \"MixedKeys\" VALUES ('ééé')")[0] == "22001"
            assert session.run(
                "SELECT \"column\", distkey, sortkey FROM pg_table_def WHERE tablename = 'MixedKeys'"
            ) == [("Key", True, 1)]
        finally:
            session.run('DROP TABLE "MixedKeys"')
