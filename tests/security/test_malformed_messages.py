"""What a client sends after its login may be anything: it gets PostgreSQL's error, nobody else notices."""

import random
import re
import struct
from collections.abc import Iterator

import pytest

from sandbox.parts.settings import Settings
from sandbox.redshift.relay import messages
from tests.sandbox.redshift.endpoint_clients import connect_psycopg
from tests.security import raw

SYNC = messages.SYNC
PARSED = messages.parse(b"s", b"SELECT $1::int")

MALFORMED = {
    "query without an end": messages.message("Q", b"SELECT 1"),
    "query with two ends": messages.message("Q", b"SELECT 1\0SELECT 2\0"),
    "empty query message": messages.message("Q"),
    "query that is not utf-8": messages.message("Q", b"SELECT '\xff'\0"),
    "refused query that is not utf-8": messages.message("Q", b"CREATE INDEX \xff ON t (a)\0"),
    "copy that is not utf-8": messages.message(
        "Q", b"COPY t FROM 's3://b/\xff' IAM_ROLE default JSON 'auto'\0"
    ),
    "parse of a type that is not utf-8": messages.message("P", b"s\0SELECT $1\xff::int\0\0\0"),
    "parse without an end": messages.message("P", b"s"),
    "parse without a text's end": messages.message("P", b"s\0SELECT 1"),
    "parse without a count": messages.message("P", b"s\0SELECT 1\0"),
    "parse with half a count": messages.message("P", b"s\0SELECT 1\0\0"),
    "parse with too few types": messages.message("P", b"s\0SELECT 1\0\0\x02\0\0\0\x17"),
    "parse with too many types": messages.message("P", b"s\0SELECT 1\0\0\0\0\0\0\x17"),
    "parse with a negative count": messages.message("P", b"s\0SELECT 1\0\xff\xff"),
    "parse of what is refused": messages.message("P", b"s\0CREATE INDEX i ON t (a)\0\xff\xff"),
    "empty parse": messages.message("P"),
    "bind without an end": messages.message("B", b"portal"),
    "bind of nothing": messages.message("B"),
    "bind without counts": PARSED + messages.message("B", b"\0s\0"),
    "bind with too few values": PARSED + messages.message("B", b"\0s\0\0\0\0\x02\0\0\0\x011\0\0"),
    "bind with a long value": PARSED + messages.message("B", b"\0s\0\0\0\0\x01\x7f\xff\xff\xff1\0\0"),
    "bind with a negative length": PARSED + messages.message("B", b"\0s\0\0\0\0\x01\xff\xff\xff\xf01\0\0"),
    "bind of a large message that ends early": PARSED + messages.message("B", b"x" * 2_000_000),
    "execute without an end": messages.message("E", b"portal"),
    "execute without a limit": messages.message("E", b"\0"),
    "execute of nothing": messages.message("E"),
    "execute with more": messages.message("E", b"\0\0\0\0\0\0"),
    "close of an unknown kind": messages.message("C", b"Xs\0"),
    "close without an end": messages.message("C", b"Ss"),
    "close of nothing": messages.message("C"),
    "describe of an unknown kind": messages.message("D", b"Xs\0"),
    "describe without an end": messages.message("D", b"Ss"),
    "describe of nothing": messages.message("D"),
    "flush with a body": messages.message("H", b"body"),
    "sync with a body": messages.message("S", b"body"),
    "copy data": messages.copy_data(b"1\n") + messages.COPY_DONE + messages.copy_fail("x"),
    "unknown type": messages.message("!", b"x"),
    "type that is no letter": messages.message("\0", b"x"),
    "password after the login": messages.message("p", b"x\0"),
}
# PostgreSQL ends the session without a word, the endpoint says why.
LENGTHS = [
    *(struct.pack("!ci", b"Q", length) for length in (-(2**31), -1, 0, 3, 2**30, 2**31 - 1)),
    *(struct.pack("!ci", kind, 20_000) for kind in (b"S", b"H", b"E", b"D", b"C", b"X", b"c", b"f")),
]


@pytest.fixture(scope="module", autouse=True)
def _no_traceback(sandbox: Settings) -> Iterator[None]:
    yield
    assert "Traceback" not in raw.log(sandbox)


def asked(session: raw.Session, data: bytes) -> list[raw.Message]:
    """All answers to this much, a Sync, and Queries after it."""
    session.send(data + SYNC + messages.query(b"ROLLBACK") + messages.query(b"SELECT 'the end'"))
    found: list[raw.Message] = []
    while answer := session.answer():
        found += answer
        if any(kind == "D" and body.endswith(b"the end") for kind, body in answer):
            break
        if answer[-1][0] != "Z":
            break
    return found


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_message_is_answered_as_by_postgresql(sandbox: Settings, name: str) -> None:
    with raw.Session(sandbox) as client, raw.Session(sandbox, direct=True) as direct:
        answer, expected = asked(client, MALFORMED[name]), asked(direct, MALFORMED[name])
    assert (raw.errors(answer), raw.shape(answer)) == (raw.errors(expected), raw.shape(expected))


@pytest.mark.parametrize("message", LENGTHS, ids=lambda message: f"{message[:1]!r} {message[1:].hex()}")
def test_an_impossible_length_ends_the_session(sandbox: Settings, message: bytes) -> None:
    with raw.Session(sandbox) as client:
        client.send(messages.query(b"SELECT 1") + message)
        answer = client.rest()
    assert raw.shape(answer) == "TDCZE"
    assert raw.errors(answer) == [("FATAL", "08P01")]


def test_functions_are_not_called_by_their_number(sandbox: Settings) -> None:
    with raw.Session(sandbox) as client:
        client.send(messages.message("F", struct.pack("!ihhh", 2077, 0, 0, 0)))
        assert raw.errors(client.answer()) == [("ERROR", "0A000")]
        client.send(messages.query(b"SELECT 1"))
        assert raw.shape(client.answer()) == "TDCZ"


@pytest.mark.parametrize("kind", ["Q", "P"])
def test_a_statement_over_16_mb_is_refused_as_by_redshift_and_not_kept(sandbox: Settings, kind: str) -> None:
    before = raw.megabytes(sandbox)
    with raw.Session(sandbox) as client:
        client.send(messages.header(kind, 200_000_000))
        for _ in range(200):
            client.send(bytes(1_000_000))
        answer = [client.message()]
        assert raw.errors([message for message in answer if message]) == [("ERROR", "42601")]
        assert b"Maximum Allowed: 16777216 bytes" in (answer[0] or ("", b""))[1]
        grown = raw.megabytes(sandbox) - before
        print(f"a statement of 200 MB: {grown:.0f} MB (about 600 before)")  # noqa: T201
        assert grown < 32
        client.send(SYNC if kind == "P" else b"")
        client.answer()
        client.send(messages.query(b"SELECT 1"))
        assert raw.shape(client.answer()) == "TDCZ"


def test_a_large_value_passes_in_pieces(sandbox: Settings) -> None:
    before = raw.megabytes(sandbox)
    with raw.Session(sandbox) as client:
        client.send(messages.parse(b"", b"SELECT octet_length($1)", b"\0\x01\0\0\0\x19"))
        client.send(messages.bind(b"", b"", [b"x" * 40_000_000]) + messages.execute(b"") + SYNC)
        answer = client.answer()
    assert raw.shape(answer) == "12DCZ"
    assert dict(answer)["D"].endswith(b"40000000")
    assert raw.megabytes(sandbox) - before < 32


def test_a_copy_that_reaches_postgresql_takes_no_rows_from_the_client(sandbox: Settings) -> None:
    """The stand-in of a prepared COPY, run past the relay's watch by a name that PostgreSQL cuts short."""
    with connect_psycopg(sandbox) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS stand_in (a INT)")
        connection.execute("DELETE FROM stand_in")
    name = b"n" * 63
    with raw.Session(sandbox) as client:
        client.send(
            messages.parse(name + b"1", b"COPY stand_in FROM 's3://none/none' IAM_ROLE default JSON 'auto'")
        )
        client.send(messages.bind(b"", name + b"2") + messages.execute(b""))
        client.send(messages.copy_data(b"1\n") + messages.COPY_DONE + SYNC)
        assert [severity for severity, _ in raw.errors(client.answer())] == ["ERROR"]
        client.send(messages.query(b'EXECUTE "' + name + b'"'))
        client.send(messages.copy_data(b"1\n") + messages.COPY_DONE)
        assert [severity for severity, _ in raw.errors(client.answer())] == ["ERROR"]
    with connect_psycopg(sandbox) as connection:
        assert connection.execute("SELECT count(*) FROM stand_in").fetchone() == (0,)
        connection.execute("DROP TABLE stand_in")


@pytest.mark.parametrize("message", [messages.parse(b"", b"SELECT 1"), messages.FLUSH, SYNC])
def test_a_flood_of_messages_is_bounded(sandbox: Settings, message: bytes) -> None:
    before = raw.megabytes(sandbox)
    with raw.Session(sandbox) as client:
        client.socket.settimeout(0.3)
        for _ in range(60):  # nothing is read: at some time the endpoint takes no more
            if not client.send(message * 20_000):
                break
        assert raw.megabytes(sandbox) - before < 32
        with connect_psycopg(sandbox) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_many_requests_after_an_error_wait_for_no_answer(sandbox: Settings) -> None:
    with raw.Session(sandbox) as client:
        client.send(messages.message("P", b"") + messages.parse(b"", b"SELECT 1") * 30_000 + SYNC)
        answer = client.answer()
        assert raw.shape(answer) == "EZ"
        client.send(messages.parse(b"", b"SELECT 1") * 30_000 + SYNC)
        assert raw.shape(client.answer()) == "1" * 30_000 + "Z"


def test_statements_under_ever_new_names_are_bounded(sandbox: Settings) -> None:
    copy = b"COPY t FROM 's3://none/none' IAM_ROLE default JSON 'auto' -- " + b"x" * 100_000
    before = raw.megabytes(sandbox)
    with raw.Session(sandbox) as client:
        for number in range(200):
            client.send(messages.parse(b"name%d" % number, copy) + SYNC)
            assert raw.shape(client.answer()) == "1Z"
        assert raw.megabytes(sandbox) - before < 150


VALID = [
    [messages.query(b"SELECT 1"), messages.query(b"SELECT 1; SELECT 'two'")],
    [PARSED, messages.bind(b"", b"s", [b"7"]), messages.execute(b""), messages.close_statement(b"s")],
    [messages.parse(b"", b"SELECT 1"), messages.bind(b"p", b""), messages.message("D", b"Pp\0"), SYNC],
    [messages.execute(b"none"), messages.FLUSH, SYNC, messages.close_portal(b"none")],
    [messages.query(b"BEGIN"), messages.query(b"SELECT no_such_column"), messages.query(b"ROLLBACK")],
]


def mutation(seed: int) -> bytes:
    """A valid sequence of messages with one or two bodies changed; where each ends stays right."""
    chance = random.Random(seed)
    sequence = [bytes(message) for message in chance.choice(VALID)]
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(sequence))
        kind, body = sequence[at][:1], bytearray(sequence[at][5:])
        place = chance.randrange(len(body) + 1)
        change = chance.randrange(4)
        if change == 0:
            del body[place:]
        elif change == 1:
            body[place:place] = chance.choice((b"\0", b"\0\0", b"\xff", b"s", b"\0\x01", b"\x80"))
        elif change == 2:
            del body[place : place + chance.randint(1, 4)]
        elif body:
            body[min(place, len(body) - 1)] = chance.choice((0, 1, 0x7F, 0xFF))
        sequence[at] = messages.header(kind.decode(), len(body)) + bytes(body)
    return b"".join(sequence)


def compare(sandbox: Settings, seeds: range) -> None:
    """Where PostgreSQL complains about the message, the endpoint gives the same answers."""
    client, direct = raw.Session(sandbox), raw.Session(sandbox, direct=True)
    for seed in seeds:
        data = mutation(seed)
        answer, expected = asked(client, data), asked(direct, data)
        codes = raw.errors(expected)
        selects_nothing = re.search(rb"SELECT\s*[\0;]", data)  # Redshift refuses it
        complains = ("ERROR", "08P01") in codes or ("FATAL", "08P01") in codes
        if (complains or not codes) and not selects_nothing:
            found = (raw.errors(answer), raw.shape(answer))
            assert found == (codes, raw.shape(expected)), f"seed {seed}: {data!r}"
        assert bool(answer) == bool(expected), f"seed {seed}: {data!r}"
        for session in (client, direct):
            session.send(SYNC + messages.query(b"DEALLOCATE ALL"))
            for _ in range(2):
                session.answer()
    client.close()
    direct.close()


def test_mutated_messages_get_postgresqls_answers(sandbox: Settings) -> None:
    compare(sandbox, range(400))


@pytest.mark.long
def test_many_mutated_messages_get_postgresqls_answers(sandbox: Settings) -> None:
    compare(sandbox, range(400, 10_000))


def test_garbage_ends_one_session_only(sandbox: Settings) -> None:
    for seed in range(60):
        chance = random.Random(seed)
        with raw.Session(sandbox) as client:
            data = bytearray(b"".join(chance.choice(VALID)))
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            client.send(bytes(data[: chance.randint(1, len(data))]))
    with connect_psycopg(sandbox) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
