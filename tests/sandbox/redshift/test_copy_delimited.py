"""COPY of delimited text, CSV and text of fixed widths, by the guide's pages on formats and conversion."""

import gzip

import pytest
import zstandard

from tests.sandbox.redshift.copying import LAST_SYS

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

ROLE = "IAM_ROLE default"
ERROR = (
    "SELECT line_number, TRIM(colname), position, TRIM(raw_field_value), err_code, TRIM(err_reason), "
    "TRIM(raw_line) FROM stl_load_errors WHERE query = pg_last_copy_id() ORDER BY line_number"
)


@pytest.fixture
def load(connector, put):
    """Load a text into a table (a INTEGER, b VARCHAR(20), c CHAR(3)); returns its rows."""

    def run(text, options, columns="a INTEGER, b VARCHAR(20), c CHAR(3)"):
        connector.run("DROP TABLE IF EXISTS u")
        connector.run(f"CREATE TEMP TABLE u ({columns})")
        connector.connection.commit()
        source = put(x=text)
        connector.run(f"COPY u FROM '{source}' {ROLE} {options}")
        return connector.run("SELECT * FROM u ORDER BY 1")

    return run


@pytest.fixture
def errors(connector, load):
    """The load errors of a text that cannot be loaded."""

    def run(text, options, **more):
        with pytest.raises(Exception, match="Load into table 'u' failed"):
            load(text, options, **more)
        connector.connection.rollback()
        return [tuple(row) for row in connector.run(ERROR)]

    return run


@pytest.mark.parametrize(
    ("text", "options", "rows"),
    [
        ("1|one|x\n2||\n", "", [(1, "one", "x  "), (2, "", "   ")]),
        ("1,one,x\r\n2,two,y", "DELIMITER ','", [(1, "one", "x  "), (2, "two", "y  ")]),
        ("1\tone\tx\n", r"DELIMITER '\t'", [(1, "one", "x  ")]),
        ("1\tone\tx\n", r"DELIMITER AS '\011'", [(1, "one", "x  ")]),
        ("1|one|x|\n", "", [(1, "one", "x  ")]),
        ("1|\\N|x\n", "", [(1, None, "x  ")]),
        ("1|NULL|x\n", "NULL AS 'NULL'", [(1, None, "x  ")]),
        ("1|\\N|x\n", "NULL AS 'NULL'", [(1, "\\N", "x  ")]),
        ("1|a\0|x\n2|\0|y\n".replace("a\0", "a"), r"NULL AS '\0'", [(1, "a", "x  "), (2, None, "y  ")]),
        ("1||x\n", "EMPTYASNULL", [(1, None, "x  ")]),
        ("1||x\n", "NULL AS ''", [(1, None, "x  ")]),
        ("1|  |x\n", "BLANKSASNULL", [(1, None, "x  ")]),
        ("1|a  |x\n", "TRIMBLANKS", [(1, "a", "x  ")]),
        ("  |a|x\n", "", [(None, "a", "x  ")]),
        ("head\n1|a|x\n", "IGNOREHEADER 1", [(1, "a", "x  ")]),
        ("1|a|x\n\n2|b|y\n", "IGNOREBLANKLINES", [(1, "a", "x  "), (2, "b", "y  ")]),
        ("1|a\n2\n", "FILLRECORD", [(1, "a", None), (2, "", None)]),
        ("1\n", "FILLRECORD EMPTYASNULL", [(1, None, None)]),
        ('1|"a"|x\n', "", [(1, '"a"', "x  ")]),
    ],
)
def test_delimited_text(load, text, options, rows):
    assert load(text, options) == rows


def test_escape_takes_the_next_character_as_it_is(load):
    """The guide's table on ESCAPE, with REMOVEQUOTES for its fourth row."""
    text = (
        "1|The quick brown fox\\\njumped over the lazy dog.\n2|A\\\\B\\\\C\n3|A \\| B \\| C\n"
        "4| 'A Midsummer Night\\'s Dream'\n5|\\N\n6|\\\\N\n"
    )
    assert load(text, "ESCAPE REMOVEQUOTES", "a INTEGER, b VARCHAR(60)") == [
        (1, "The quick brown fox\njumped over the lazy dog."),
        (2, "A\\B\\C"),
        (3, "A | B | C"),
        (4, "A Midsummer Night's Dream"),
        (5, None),
        (6, None),
    ]


def test_removequotes(load):
    """The guide's table on REMOVEQUOTES: marks are removed at both ends, and only there."""
    text = (
        "1|\"The delimiter is a pipe (|) character\"\n2|'Black'\n3|\"White\"\n4|Blue'\n5|''Black''\n6|' '\n"
    )
    assert load(text, "REMOVEQUOTES", "a INTEGER, b VARCHAR(60)") == [
        (1, "The delimiter is a pipe (|) character"),
        (2, "Black"),
        (3, "White"),
        (4, "Blue'"),
        (5, "'Black'"),
        (6, " "),
    ]


@pytest.mark.parametrize(
    ("text", "options", "rows"),
    [
        ('1,"a,b",x\n2, "c" ,y\r\n3,d,"z"', "CSV", [(1, "a,b", "x  "), (2, "c", "y  "), (3, "d", "z  ")]),
        ('1,"A ""quoted"" word",x\n', "FORMAT AS CSV", [(1, 'A "quoted" word', "x  ")]),
        ("1,%a,b%%c%,x\n", "CSV QUOTE AS '%'", [(1, "a,b%c", "x  ")]),
        ('1,%"a"%,x\n', "FORMAT CSV QUOTE '%'", [(1, '"a"', "x  ")]),
        ('1|"a|b"|x\n', "CSV DELIMITER '|'", [(1, "a|b", "x  ")]),
        ('1\t"a"\tx\n', r"DELIMITER '\t' CSV", [(1, "a", "x  ")]),
        ('1,"two\nlines\r\n",x\n2,b,y\n', "CSV", [(1, "two\nlines\r\n", "x  "), (2, "b", "y  ")]),
        ('1,"",x\n2,,y\n', "CSV EMPTYASNULL", [(1, None, "x  "), (2, None, "y  ")]),
        ("a,b\n1,a,x\n", "CSV IGNOREHEADER 1", [(1, "a", "x  ")]),
        ("1,é,x\n", "CSV", [(1, "é", "x  ")]),
    ],
)
def test_csv(load, text, options, rows):
    assert load(text, options) == rows


def test_fixed_width_counts_characters(load):
    assert load("1  äöü  x\n22 b    yz\n33\n", "FIXEDWIDTH 'a:3,b:5,2:2' FILLRECORD") == [
        (1, "äöü  ", "x  "),
        (22, "b    ", "yz "),
        (33, "", None),
    ]


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [
        ("1|a|x\n2|b\n", "", (2, "b", 2, "b", 1214, "Delimiter not found", "2|b")),
        ("1|a|x|y\n", "", (1, "", 6, "y", 1202, "Extra column(s) found", "1|a|x|y")),
        ("1|a|xyz4\n", "", (1, "c", 4, "xyz4", 1204, "Char length exceeds DDL length", "1|a|xyz4")),
        (
            "1,b,c\none,b,c\n",
            "CSV",
            (2, "a", 0, "one", 1207, "Invalid digit, Value 'o', Pos 0, Type: Integer", "one,b,c"),
        ),
        (
            '1,aaaa"zzzz,x\n',
            "CSV",
            (1, "b", 2, 'aaaa"zzzz', 1214, "Invalid quote formatting for CSV", '1,aaaa"zzzz,x'),
        ),
        ("1|'a|x\n", "REMOVEQUOTES", (1, "b", 2, "'a", 1214, "Delimiter not found", "1|'a|x")),
        (
            "1  long x y\n",
            "FIXEDWIDTH '0:3,1:5,2:1'",
            (1, "", 9, "y", 1202, "Extra column(s) found", "1  long x y"),
        ),
        ("1  a\n", "FIXEDWIDTH '0:3,1:5,2:1'", (1, "b", 3, "a", 1214, "Delimiter not found", "1  a")),
        (
            "1|a\0b|x\n",
            r"NULL AS '\0'",
            (1, "b", 2, "ab", 1218, "Field contains NUL and more than one byte", "1|ab|x"),
        ),
    ],
)
def test_load_errors_name_line_column_position_and_field(errors, text, options, found):
    assert errors(text, options) == [found]


def test_maxerror_counts_the_bad_rows_of_a_csv_file(connector, load):
    text = 'one,a,x\n2,"b\nb",y\n3,c\n4,d,z\n'
    assert load(text, "CSV MAXERROR 3") == [(2, "b\nb", "y  "), (4, "d", "z  ")]
    assert [row[:1] + row[4:5] for row in connector.run(ERROR)] == [(1, 1207), (4, 1214)]
    log = f"SELECT loaded_rows, error_count, file_format FROM sys_load_history WHERE {LAST_SYS}"
    assert connector.run(log) == [(2, 2, "csv")]
    commits = "SELECT TRIM(file_format) FROM stl_load_commits WHERE query = pg_last_copy_id()"
    assert connector.run(commits) == [("CSV",)]


def test_bytes_that_are_no_utf8_are_an_error_or_replaced(errors, load):
    bad = b"1|a\xe4b|x\n"
    reason = "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: e4 (error 2)"
    [(_, column, _, _, code, found, _)] = errors(bad, "")
    assert (column, code, found) == ("b", 1220, reason[:100])
    assert load(bad, "ACCEPTINVCHARS '^'") == [(1, "a^b", "x  ")]


def test_truncatecolumns_cuts_fields_and_a_column_list_orders_them(connector, put):
    source = put(x="a very long text|7\n")
    connector.run(f"COPY t (b, a) FROM '{source}' {ROLE} TRUNCATECOLUMNS")
    assert connector.run("SELECT * FROM t") == [(7, "a very l")]


def test_identity_columns_are_loaded_with_explicit_ids_only(load):
    columns = "i INTEGER IDENTITY(1, 1), a INTEGER"
    assert [row[1] for row in load("5\n", "", columns)] == [5]
    assert load("9|5\n", "EXPLICIT_IDS", columns) == [(9, 5)]


@pytest.mark.parametrize(("option", "pack"), [("GZIP", gzip.compress), ("ZSTD", zstandard.compress)])
def test_compressed_text(load, option, pack):
    text = "".join(f"{number}|{'x' * 20}|y\n" for number in range(20_000)).encode()
    assert len(load(pack(text) + pack(b"20000|z|z\n"), option)) == 20_001


def test_a_zstd_file_that_ends_too_early_is_named(connector, put):
    source = put(x=zstandard.compress(b"1|a\n" * 999)[:-3])
    _, message, _ = connector.fail(f"COPY t FROM '{source}' {ROLE} ZSTD")
    assert message == f"{source}x cannot be decompressed as zstd: the file ends too early"


def test_a_quotation_mark_that_is_never_closed_costs_its_line_only(errors):
    text = '1,"a,x\n' + "2,b,y\n" * 3
    assert errors(text, "CSV")[0][4:6] == (1214, "Invalid quote formatting for CSV")


def test_a_row_that_never_ends_ends_the_load(connector, put):
    source = put(x=b'1,"' + b"x" * (5 * 1024 * 1024))
    connector.fail(f"COPY t FROM '{source}' {ROLE} CSV IGNOREALLERRORS")
    connector.connection.rollback()
    assert connector.run(ERROR)[0][4:6] == (1216, "Row exceeds 4194304 bytes")


@pytest.mark.parametrize(
    ("columns", "options", "reason"),
    [
        ("(i, a)", "", "without EXPLICIT_IDS: identity column 'i' is in the column list"),
        ("(a)", "EXPLICIT_IDS", "with EXPLICIT_IDS: identity column 'i' is not in the column list"),
    ],
)
def test_a_column_list_has_identity_columns_with_explicit_ids_only(connector, put, columns, options, reason):
    connector.run("CREATE TEMP TABLE u (i INTEGER IDENTITY(1, 1), a INTEGER)")
    connector.connection.commit()
    source = put(x="1|2\n")
    state, message, _ = connector.fail(f"COPY u {columns} FROM '{source}' {ROLE} {options}")
    assert (state, message) == ("0A000", f"COPY {reason}")
