"""The relay and PostgreSQL read a text alike: nothing hides in what the relay takes for a literal."""

import contextlib
import gc
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import pq

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.dialect.translation import Context, Dialect
from sandbox.redshift.sql.tokens import UnreadableError, split_statements, tokenize

SEED = 20261128
TEXTS = 12_000

# A literal whose inside, wherever it were to end too early, is a statement of its own.
STATEMENT = "; SELECT 'mark'"
PIECES = [
    *(
        "'",
        "''",
        "\\",
        "\\'",
        "'\\'",
        "E'",
        "e'\\''",
        "N'",
        "n'\\'",
        "B'",
        "b'1'",
        "X'",
        "U&'",
        'U&"',
        '"',
        '"a"',
    ),
    *("'a'\n'b", "'a' \t\r'\\'", "B'1'\n'\\'", "E'x'\n'\\'", "'a'--c'\n'", "'a'\f\v\n--'\r'", "'a' /**/ 'b'"),
    *(
        "$$",
        "$é$",
        "$a$",
        "$é1$",
        "$1$",
        "$1$$",
        "a$$",
        "$a",
        "$_$",
        "$ $",
        "$$a$",
        "$é$é$",
        "#B'\\'",
        "=#E'\\'",
    ),
    *(
        "/*",
        "*/",
        "/**/",
        "/*/",
        "*/*",
        "+/*",
        "--",
        "-",
        "--\r",
        "--\n",
        "+--x\n",
        "/*--*/",
        "--/*\n",
        "</*'*/",
    ),
    *(
        "\u00a0",
        "\u0085",
        "\x1c",
        "\v",
        "\f",
        "\r",
        "\n",
        " ",
        "\u2028",
        "٣E'\\'",
        "\u00a0E'\\'",
        "éb'\\'",
        "1e'",
    ),
    *(
        "1",
        "1.",
        ".5",
        "1e5",
        "1_0",
        "0x1F",
        "a",
        "é",
        "E",
        "N",
        "_",
        "#t",
        "::",
        "*",
        "=",
        "(",
        ")",
        ",",
        ";",
    ),
    *(STATEMENT, STATEMENT, f"{STATEMENT} --", f"{STATEMENT} /*", f'{STATEMENT} AS "\'"'),
]
CLOSED = [
    *(("'", "'"), ("E'", "'"), ("n'", "'"), ("B'", "'"), ("X'", "'"), ('1 AS "', '"'), ("$$", "$$")),
    *(("$é$", "$é$"), ("$a$", "$a$"), ("/*", "*/ 1"), ("--", "\n1"), ("--", "\r1"), ("$_1$", "$_1$")),
    *(("'a'\n'", "'"), ("B'1'\n'", "'"), ("E'a'\r--b\n'", "'"), ("1 AS aE", ""), ("1 +/*", "*/ 2")),
    *(("1 AS a$", ""), ("1 AS \u00a0b'", "'"), ("1\u2028E", "'\\'"), ("1 #N'", "'"), ("e'\\'", "'")),
]
INSIDE = [
    *(
        "'",
        "''",
        "\\",
        "\\'",
        "\\\\",
        '"',
        '""',
        "$$",
        "$a$",
        "$é$",
        "$_1$",
        "$a",
        "a$",
        "/*",
        "*/",
        "--",
        "\n",
        "\r",
    ),
    *("'\n'", "'--\r'", STATEMENT, " ", "\v", "\u00a0", "é", "E'", "\\1", "*/*", "/*/"),
]
# What came out of it on the way, and what the first version read otherwise than PostgreSQL.
CASES = [
    "SELECT $é$ ' $é$; SELECT 'mark' --'",
    "SELECT 1 --\r; SELECT 'mark'",
    "SELECT B'1'\n'\\'; SELECT 'mark' --'",
    "SELECT N'\\'; SELECT 'mark' --'",
    "SELECT 1 AS \u00a0E'\\'; SELECT 'mark' --'",
    "SELECT 1 AS ٣E'\\'; SELECT 'mark' --'",
    "SELECT X''\\'; SELECT 'mark' --'",
    "SELECT 1 AS a \va$$$$a$; SELECT 'mark'",
    "SELECT 1 =#B'\\'; SELECT 'mark' --'",
    "SELECT E'a'\n'\\'; SELECT ''mark''' --",
    "SELECT 'a'--'\n'b'; SELECT 'mark'",
    "SELECT a$$; SELECT 'mark' --$$",
    "SELECT 1 /*/*; SELECT 'mark' */ ; */; SELECT 'mark'",
    "SELECT 1 +/*; SELECT 'mark' */ 2",
    "SELECT 1\x1c; SELECT 'mark'",
    "SELECT $1$$; SELECT 'mark' $$",
    "SELECT 'a\\",
    "SELECT (1; SELECT 'mark')",
]


@pytest.fixture(scope="module")
def server(sandbox: Settings) -> Iterator[psycopg.Connection]:
    """PostgreSQL itself, without the endpoint."""
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as connection:
        connection.execute("SET escape_string_warning = off; SET client_min_messages = error")
        yield connection


def texts() -> Iterator[str]:
    chance = random.Random(SEED)
    yield from CASES
    for _ in range(TEXTS // 2):
        yield "SELECT 1 AS a " + "".join(chance.choices(PIECES, k=chance.randint(1, 9)))
    for _ in range(TEXTS // 2):
        yield "SELECT " + "".join(_closed(chance) for _ in range(chance.randint(1, 3))) + "1"


def _closed(chance: random.Random) -> str:
    """Something that ends as it began, if nothing inside ends it sooner."""
    opening, closing = chance.choice(CLOSED)
    inside = "".join(chance.choices(INSIDE, k=chance.randint(0, 3)))
    return opening + inside + closing + chance.choice([", ", ",\n--'\r", STATEMENT + ", ", " /*'/**/*/ , "])


def read_by_postgres(server: psycopg.Connection, text: str) -> tuple[int | None, int | None]:
    """How many statements PostgreSQL reads (2 for more), or where it finds a token it does not expect."""
    result = server.pgconn.prepare(b"", text.encode())
    if result.status == pq.ExecStatus.COMMAND_OK:
        return 1, None
    sqlstate, message, position = (
        (result.error_field(field) or b"").decode()
        for field in (
            pq.DiagnosticField.SQLSTATE,
            pq.DiagnosticField.MESSAGE_PRIMARY,
            pq.DiagnosticField.STATEMENT_POSITION,
        )
    )
    if "multiple commands" in message:
        return 2, None
    if message.startswith("syntax error at or near"):
        return None, int(position) - 1
    # Errors of its lexer; all others come once the text has been read.
    is_unread = sqlstate in ("42601", "0A000", "22025", "22021", "22P06", "42622", "42602")
    return (None if is_unread else 1), None


@pytest.mark.parametrize("backslash_escapes", [True, False])
def test_the_relay_and_postgres_see_the_same_statements(
    server: psycopg.Connection, backslash_escapes: bool
) -> None:
    server.execute(f"SET standard_conforming_strings = {'off' if backslash_escapes else 'on'}")
    counts: Counter[int | str] = Counter()
    for text in texts():
        number, unexpected = read_by_postgres(server, text)
        try:
            tokens = tokenize(text, backslash_escapes=backslash_escapes)
        except UnreadableError:
            # Fails closed; only what Redshift has not may be refused where PostgreSQL takes it.
            assert number is None or re.search("[uU]&['\"]", text), f"seed {SEED}: {text!r}"
            counts["refused"] += 1
            continue
        if number is not None:
            seen = [text[part[0].start : part[-1].end] for part in split_statements(tokens)]
            assert min(len(seen), 2) == number, f"seed {SEED}: {text!r} is {seen}"
            counts[number] += 1
        elif unexpected is not None:
            # N'…' is two tokens of PostgreSQL's.
            starts = {token.start + at for token in tokens for at in (0, token.text[:2] in ("n'", "N'"))}
            assert unexpected in starts, f"seed {SEED}: {text!r} at {unexpected}"
            counts["unexpected"] += 1
    assert min(counts[kind] for kind in (1, 2, "refused", "unexpected")) > TEXTS / 50, counts


@pytest.mark.parametrize(
    "sql",
    [
        "SET client_encoding TO 'SJIS'",
        'SET SESSION "Client_Encoding" = big5',
        "SET NAMES 'GBK'",
        'SET U&"client\\005fencoding" TO SJIS',
        "SET standard_conforming_strings = on",
        "SET LOCAL backslash_quote TO off",
        "ALTER USER CURRENT_USER SET standard_conforming_strings TO on",
        "SELECT pg_catalog.set_config('client_encoding', 'SJIS', false)",
        "UPDATE pg_settings SET setting = 'on' WHERE name = 'standard_conforming_strings'",
    ],
)
def test_no_client_changes_what_a_text_means(login: psycopg.Connection, sql: str) -> None:
    before = _lexical(login)
    with pytest.raises(psycopg.Error):
        login.execute(sql)
    assert _lexical(login) == before == ("UTF8", "off", "safe_encoding")


def test_options_of_a_login_do_not_change_what_a_text_means(sandbox: Settings) -> None:
    options = "-c client_encoding=SJIS -c standard_conforming_strings=on -c backslash_quote=off"
    with psycopg.connect(**_endpoint(sandbox), options=options, autocommit=True) as connection:
        assert _lexical(connection) == ("UTF8", "off", "safe_encoding")
        connection.execute("RESET standard_conforming_strings; RESET client_encoding")
        assert _lexical(connection) == ("UTF8", "off", "safe_encoding")
    with pytest.raises(psycopg.OperationalError, match="invalid value for parameter"):
        psycopg.connect(**_endpoint(sandbox), client_encoding="SJIS")


@pytest.mark.parametrize(
    "piece",
    [
        *("/*", "/**/", "'", "\\'", '"', "$a$ ", "(", "select top 1 ", "from a, ", "qualify ", "decode(1, "),
        *(
            "(select a from b where c.d = ",
            "left join a on b = ",
            "with recursive x as (select 1 union select 2) ",
        ),
    ],
)
def test_the_time_for_a_text_grows_with_its_length(piece: str, request: pytest.FixtureRequest) -> None:
    def seconds(size: int) -> float:
        text = "create 'a' select sum(1) " + piece * (size // len(piece))
        start = time.process_time()
        with contextlib.suppress(Refusal):
            Dialect().translate(text, Context())
        return time.process_time() - start

    # Collecting garbage would look at all that other tests have left.
    request.addfinalizer(gc.enable)
    gc.disable()
    # Eight times the length took 64 times the time, or hours.
    assert seconds(160_000) < 32 * max(seconds(20_000), 0.01)


@pytest.fixture(scope="module")
def login(sandbox: Settings) -> Iterator[psycopg.Connection]:
    """A session of the endpoint."""
    with psycopg.connect(**_endpoint(sandbox), autocommit=True) as connection:
        yield connection


def _endpoint(sandbox: Settings) -> dict[str, Any]:
    names = {"host": "127.0.0.1", "port": sandbox.redshift_port, "dbname": sandbox.database}
    return {**names, "user": sandbox.user, "password": sandbox.password, "sslmode": "disable"}


def _lexical(connection: psycopg.Connection) -> tuple[str, ...]:
    names = ("client_encoding", "standard_conforming_strings", "backslash_quote")
    return tuple(
        connection.execute(f"SELECT current_setting('{name}')".encode()).fetchone()[0] for name in names
    )
