"""No text and no file, whatever chance makes of it, meets a defect: it gets an error, the session lives."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
import pytest

from sandbox import lifecycle
from sandbox.parts.settings import Settings
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.dialect.translation import Context, Dialect
from tests.security import raw
from tests.security.statements import VALID, mutated, without_a_token

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What an error shows when something inside went wrong.
DEFECTS = ("defect", "Traceback", "refused_by_redshift", "stand_in", "redshift_endpoint", "Error:")
TABLES = (
    "CREATE TABLE IF NOT EXISTS t (a INT, b VARCHAR(20), ts TIMESTAMP, d DECIMAL(8, 2))",
    "CREATE TABLE IF NOT EXISTS s (a INT, b VARCHAR(20))",
)
TYPES = (
    *("SMALLINT", "INT", "BIGINT", "DECIMAL(8,2)", "DECIMAL(38,37)", "REAL", "FLOAT8", "BOOLEAN", "CHAR(3)"),
    *("VARCHAR(5)", "VARCHAR(MAX)", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"),
)
OPTIONS = (
    *("TIMEFORMAT 'auto'", "TIMEFORMAT 'epochsecs'", "TIMEFORMAT 'epochmillisecs'", "DATEFORMAT 'auto'"),
    *("TIMEFORMAT 'DD.MM.YY HH12:MI:SS AM'", "DATEFORMAT 'MON DD, YYYY'", "ACCEPTANYDATE", "ROUNDEC"),
    *(
        "ACCEPTINVCHARS AS '^'",
        "TRUNCATECOLUMNS",
        "TRIMBLANKS",
        "BLANKSASNULL",
        "EMPTYASNULL",
        "IGNOREHEADER 1",
    ),
    *("ENCODING UTF16", "ENCODING UTF16LE", "GZIP", "BZIP2", "NOLOAD", "EXPLICIT_IDS", "COMPUPDATE OFF"),
)
VALUES = (
    *(
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-1e-400",
        "1e99999999999999999999",
        "9" * 5000,
        "-" + "9" * 40,
    ),
    *(
        "0." + "9" * 400,
        "1541044398796.0",
        "NaN",
        "Infinity",
        "01",
        "1_0",
        "0x1F",
        "-",
        "",
        "tru",
        '""',
        '" "',
    ),
    *(
        '"' + "9" * 5000 + '"',
        '"1e99999999999999999999"',
        '"nan"',
        '"-inf"',
        '"٣"',
        '"²"',
        '"1,5"',
        '"+"',
        '"."',
    ),
    *('"2018-02-30"', '"0000-00-00"', '"9999-12-31 23:59:60"', '"24:00:00"', '"Jan-08-95 BC"', '"J2451187"'),
    *(
        '"J' + "9" * 40 + '"',
        '"0001-01-01 00:00:00 BC"',
        '"1996.366"',
        '"12/17/1997 07:37:16.00 PST"',
        '"infinity"',
    ),
    *(
        '"2018-11-01T00:00:00+99:99"',
        '"2018-11-01T00:00:00.1234567890123Z"',
        '"epoch"',
        '"now"',
        '"yes"',
        '"\\ud800"',
    ),
    *(
        '"\\ud83d\\ude00"',
        '"\U0001f600"',
        '"\\u0000"',
        '"\\N"',
        '"\\\\."',
        '"a\\tb\\nc"',
        '"' + "é" * 40_000 + '"',
    ),
    *(
        "{}",
        "[]",
        '{"a": {"b": [1, null]}}',
        "[" * 200 + "]" * 200,
        '{"a":' * 3000 + "1" + "}" * 3000,
        "[1, 1e400]",
    ),
)


@pytest.fixture(scope="module")
def own(new_settings: Callable[[], Settings]) -> Settings:
    """A sandbox that statements may take apart."""
    settings = new_settings()
    lifecycle.up(settings)
    return settings


@pytest.fixture(scope="module", autouse=True)
def _no_traceback(own: Settings) -> Iterator[None]:
    yield
    assert "Traceback" not in raw.log(own)


@pytest.fixture(scope="module")
def bucket(own: Settings) -> "S3Client":
    """The client of a bucket with what the statements of COPY name."""
    client = boto3.client(
        "s3",
        endpoint_url=own.aws_endpoint_url,
        aws_access_key_id=own.aws_access_key_id,
        aws_secret_access_key=own.aws_secret_access_key,
        region_name=own.region,
    )
    client.create_bucket(Bucket="fuzz")
    client.put_object(Bucket="fuzz", Key="k", Body=b'{"a": 1, "b": "x"}')
    client.put_object(Bucket="fuzz", Key="p", Body=b'{"jsonpaths": ["$.a", "$.b"]}')
    client.put_object(
        Bucket="fuzz", Key="m", Body=b'{"entries": [{"url": "s3://fuzz/k", "mandatory": true}]}'
    )
    return client


def connect(settings: Settings) -> psycopg.Connection:
    """A session whose statements end after a second."""
    connection = psycopg.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        dbname=settings.database,
        user=settings.user,
        password=settings.password,
        autocommit=True,
    )
    refresh(connection)
    return connection


def refresh(connection: psycopg.Connection) -> None:
    """Make the session and the tables what they were: fails when the session is dead."""
    for sql in ("ROLLBACK", "RESET ALL", "SET statement_timeout TO 1000", *TABLES):
        result = connection.pgconn.exec_(sql.encode())
        assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, result.error_message


def answer(connection: psycopg.Connection, sql: str, *, prepared: bool) -> str:
    """Run a text by either protocol; the error's fields, empty without one."""
    link, text = connection.pgconn, sql.encode()
    result = link.exec_params(text, None) if prepared else link.exec_(text)
    fields = psycopg.pq.DiagnosticField
    shown = (fields.SQLSTATE, fields.MESSAGE_PRIMARY, fields.MESSAGE_DETAIL, fields.MESSAGE_HINT)
    return " | ".join((result.error_field(field) or b"").decode() for field in shown)


def check(error: str, what: str) -> None:
    """Fail if an error speaks of a defect."""
    found = [sign for sign in DEFECTS if sign in error and sign not in what]
    assert not found, f"{what[:2000]!r}: {error}"


def run(settings: Settings, seed: int, count: int) -> Counter[str]:
    """Give mutated statements to an endpoint, and count the SQLSTATEs."""
    chance, states = random.Random(seed), Counter[str]()
    connection = connect(settings)
    for number in range(count):
        sql = mutated(chance)
        try:
            error = answer(connection, sql, prepared=bool(number % 2))
            refresh(connection)
        except (psycopg.Error, AssertionError) as lost:
            raise AssertionError(
                f"seed {seed}, {number}: the session died of {sql[:2000]!r}: {lost}"
            ) from lost
        check(error, sql)
        states[error[:5].strip(" |")] += 1
    connection.close()
    return states


def document(chance: random.Random) -> bytes:
    """A JSON object of one member a column, or something like it."""
    members = [f'"c{at}": {chance.choice(VALUES)}' for at in range(len(TYPES)) if chance.random() < 0.3]
    data = ("{" + ", ".join(members) + "}").encode(errors="surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        at = chance.randrange(len(data))
        data = data[:at] + bytes([chance.randrange(256)]) * chance.randint(0, 2) + data[at + 1 :]
    return data + chance.choice((b"\n", b" ", b"", b",", b"\r\n"))


def load(connection: psycopg.Connection, bucket: "S3Client", chance: random.Random) -> str:
    """COPY of a file of odd documents with odd options; the error's fields."""
    body = b"".join(document(chance) for _ in range(chance.randint(1, 40)))
    options = chance.sample(OPTIONS, chance.randint(0, 4))
    if "GZIP" in options and chance.random() < 0.7:
        body = gzip.compress(body)[: chance.choice((None, 40))]
    bucket.put_object(Bucket="fuzz", Key="odd", Body=body)
    paths = [
        chance.choice(("$.c{}", "$['c{}']", "$.c{}[0]", "$", "$.x.c{}", "$.", "")).format(at)
        for at in range(15)
    ]
    bucket.put_object(Bucket="fuzz", Key="paths", Body=json.dumps({"jsonpaths": paths}).encode())
    mapping = chance.choice(("auto", "auto", "auto ignorecase", "s3://fuzz/paths"))
    sql = (
        f"COPY odd FROM 's3://fuzz/odd' IAM_ROLE default FORMAT AS JSON '{mapping}' {' '.join(options)} "
        f"MAXERROR {chance.choice((0, 100000, 100000))}"
    )
    error = answer(connection, sql, prepared=chance.random() < 0.5)
    check(error, sql)
    return error


def run_loads(settings: Settings, bucket: "S3Client", seed: int, count: int) -> Counter[str]:
    """COPY odd files into a column of every type, and count the SQLSTATEs."""
    chance, states = random.Random(seed), Counter[str]()
    with connect(settings) as connection:
        columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(TYPES))
        connection.execute(f"CREATE TEMP TABLE odd ({columns})".encode())
        connection.execute("SET statement_timeout TO 60000")
        for _ in range(count):
            states[load(connection, bucket, chance)[:5].strip(" |")] += 1
        details: list[tuple[Any, ...]] = connection.execute(
            "SELECT DISTINCT error_message FROM sys_load_error_detail"
        ).fetchall()
    for (message,) in details:
        check(message, "")
    return states


def test_every_statement_that_is_mutated_is_one_that_is_read(own: Settings, bucket: "S3Client") -> None:
    with connect(own) as connection:
        for sql in VALID:
            check(answer(connection, sql, prepared=False), sql)
            refresh(connection)


def test_a_statement_that_lacks_its_end_or_a_token_is_translated_or_refused() -> None:
    for sql in without_a_token():
        with suppress(Refusal):
            Dialect().translate(sql, Context())


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 30))])
def test_a_mutated_text_is_translated_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    counts: Counter[bool] = Counter()
    for number in range(600):
        sql = mutated(chance)
        try:
            Dialect().translate(sql, Context(in_transaction=bool(number % 2)))
            counts[True] += 1
        except Refusal as refusal:
            check(str(refusal), sql)
            counts[False] += 1
    assert min(counts[True], counts[False]) > 100, counts


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))])
def test_a_mutated_statement_gets_an_answer_and_the_session_lives(own: Settings, seed: int) -> None:
    states = run(own, seed, 250)
    assert len(states) > 5, states


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))])
def test_an_odd_file_gets_load_errors(own: Settings, bucket: "S3Client", seed: int) -> None:
    states = run_loads(own, bucket, seed, 30)
    assert len(states) > 2, states
