"""The short ways of COPY give what one value after the other gives, byte for byte, error for error.

The files are made by chance from their numbers; a file that once differed stays by its number.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from sandbox.redshift.copy.columns import TargetColumn, batch_for, converter_for
from sandbox.redshift.copy.documents import BadDocument, DocumentReader, Documents
from sandbox.redshift.copy.errors import FatalError, Replacement
from sandbox.redshift.copy.jsonpaths import parse_jsonpaths
from sandbox.redshift.copy.mapping import fold_keys
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.parallel import lanes
from sandbox.redshift.copy.parallel.lanes import JsonFile
from sandbox.redshift.copy.parallel.plan import RowPlan
from sandbox.redshift.copy.parallel.pool import Workers
from sandbox.redshift.copy.parallel.worker import ordinary_rows
from sandbox.redshift.copy.rows import RowBuilder, Rows

# Some thirty documents a file.
SHORT, LONG = range(150), range(1_000, 3_400)
EACH = 50
TYPES = (
    *(("smallint",), ("integer",), ("bigint",), ("numeric", 8, 2), ("numeric", 38, 0), ("real",)),
    *(("double precision",), ("boolean",), ("character", 3), ("character varying", 5), ("json",)),
    *(("character varying", 300), ("text",), ("date",), ("time without time zone",)),
    *(("timestamp without time zone",), ("timestamp with time zone",)),
)
# What a member's values are like in a file: ordinary ones of one kind.
ORDINARY = {
    "small": lambda r: str(r.randint(-9, 9)),
    "integer": lambda r: str(r.randint(-(2**31), 2**31 - 1)),
    "bigint": lambda r: str(r.randint(-(2**63), 2**63 - 1)),
    "epoch": lambda r: str(r.randint(0, 2_000_000_000_000)),
    "double": lambda r: repr(r.choice([r.uniform(-1000, 1000), r.random() * 10 ** r.randint(-3, 15), -0.0])),
    "any double": lambda r: repr(r.random() * 10 ** r.randint(-8, 25)),
    "digits": lambda r: f'"{r.choice([r.randint(0, 99), r.randint(0, 9_999), "007", ""])}"',
    "boolean": lambda r: r.choice(["true", "false"]),
    "word": lambda r: f'"{"".join(r.choices("abc XYZ.,:;-_/0123456789", k=r.randint(0, 3)))}"',
    "letter": lambda r: f'"{"".join(r.choices("aé€😀ßÅ ", k=r.randint(0, 2)))}"',
    "date": lambda r: f'"{r.randint(1, 9999):04d}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"',
}
# What most columns get; others get anything.
FITTING = {
    "smallint": ("small", "digits"),
    "integer": ("integer", "digits"),
    "bigint": ("bigint", "epoch"),
    "numeric": ("small", "double"),
    "real": ("double", "small"),
    "double precision": ("double", "any double"),
    "boolean": ("boolean",),
    "date": ("date",),
    "timestamp without time zone": ("epoch", "date"),
    "timestamp with time zone": ("epoch", "date"),
}
# And what is found among them now and then.
UNUSUAL = (
    *(
        '"a\\\\b"',
        '"t\\tb"',
        '"n\\nb"',
        '"\\r"',
        '"\\u0000"',
        '"\\ud800"',
        '"\\udc00x"',
        '"\\u00e9"',
        '"\\\\N"',
        '"\\""',
    ),
    *(
        '"\ufffe"',
        '"\ufdd0"',
        '"\x7f"',
        '"\u0085"',
        '"\u2028"',
        '"null"',
        '"NaN"',
        '"inf"',
        '"1e3"',
        '" 12 "',
    ),
    *("1e400", "1e-400", "1e16", "1e15", "123456789012345680.0", "1e-4", "1e-5", "0.00012", "-0.0", "12.0"),
    *("32768", "2147483648", "-2147483649", "9223372036854775808", "18446744073709551616", "9" * 25),
    *("253402300799", "253402300800", "253402300799999", "253402300800000", '"²"', '"١٢"', '"1_000"'),
    *("[1,2]", '{"a":"\\u0000"}', "{}", "[]", f'"{"x" * 400}"', f'"{"é" * 140}"', "true", "null", "-1"),
    *('"\udcff"', '"+5"', '"0x1F"', "1e22", "9" * 19, '"x"', '"é"', '"12"', "0.5", '""', '" "', '"  a "'),
    *(
        '"abc"',
        '"abcd"',
        '"abcde"',
        '"abcdef"',
        '"\\t"',
        '"\\n"',
        "32767",
        "-32768",
        "-32769",
        "2147483647",
        "1.5",
    ),
)
BROKEN = ("", "{", "nothing", '{"a":1},', '{"a":1', "[1]", '{"a":"\udcff"}', '{"a":1} {"a":2}', '{"a":\n1}')


@pytest.fixture(autouse=True)
def _pieces_are_blocks(monkeypatch):
    """So small a file has several pieces, too."""
    monkeypatch.setattr(lanes, "PIECE_BYTES", 1)


@dataclass
class Found:
    """What became of a file."""

    data: bytes = b""
    count: int = 0
    errors: list[FatalError] = field(default_factory=list)
    replacements: list[Replacement] = field(default_factory=list)
    broken: list[BadDocument] = field(default_factory=list)
    lines: int = 0

    def add(self, rows: Rows) -> None:
        self.data += rows.data
        self.count += rows.count
        self.errors += rows.errors
        self.replacements += rows.replacements


@dataclass(frozen=True)
class Case:
    """A table, a COPY and a file for it."""

    columns: Sequence[TargetColumn]
    options: Options
    by_paths: bool
    data: bytes
    block_bytes: int

    @property
    def plan(self) -> RowPlan:
        text = ",".join(f"\"$['{column.name}']\"" for column in self.columns)
        paths = parse_jsonpaths(f'{{"jsonpaths":[{text}]}}'.encode(), "p") if self.by_paths else None
        return RowPlan(self.columns, paths, self.options)

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), self.block_bytes):
            yield self.data[start : start + self.block_bytes]


def case(source: random.Random) -> Case:
    """A case of chance: most files are ordinary, so that whole columns are taken at once."""
    columns = [
        column_of(source.choice(TYPES), number, not_null=source.random() < 0.2)
        for number in range(source.randint(1, 8))
    ]
    fits = source.random() < 0.8
    kinds = [
        source.choice(FITTING.get(column.type_name, ("word", "letter")) if fits else list(ORDINARY))
        for column in columns
    ]
    unusual = source.choice([0, 0, 0.001, 0.02])
    lacking, broken = source.choice([0, 0.05]), source.choice([0, 0, 0.01])
    nulls = source.choice([0, 0.3])
    lines = [
        source.choice(BROKEN)
        if source.random() < broken
        else _document(source, columns, kinds, (unusual, lacking, nulls))
        for _ in range(source.randint(1, 60))
    ]
    text = "\n".join(lines) + source.choice(["", "\n"])
    options = Options(
        json=source.choice(["auto", "auto", "auto ignorecase"]),
        time_format=source.choice([None, "auto", "epochsecs", *["epochmillisecs"] * 3]),
        date_format=source.choice([None, "auto"]),
        accept_invalid_chars=source.choice([None, None, "?", "^"]),
        empty_as_null=source.random() < 0.1,
        blanks_as_null=source.random() < 0.1,
        trim_blanks=source.random() < 0.1,
        truncate_columns=source.random() < 0.3,
        accept_any_date=source.random() < 0.2,
        round_decimals=source.random() < 0.3,
    )
    data = text.encode(errors="surrogateescape")
    return Case(columns, options, source.random() < 0.5, data, source.choice([64, 500, 4_000, 1_000_000]))


def column_of(written: Sequence[object], number: int, *, not_null: bool) -> TargetColumn:
    type_name, *sizes = written
    precision, scale = sizes if type_name == "numeric" else (None, None)
    length = sizes[0] if sizes and type_name != "numeric" else None
    return TargetColumn(f"c{number}", type_name, length, precision, scale, not_null=not_null)


def _document(
    source: random.Random, columns: Sequence[TargetColumn], kinds: Sequence[str], shares: Sequence[float]
) -> str:
    unusual, lacking, nulls = shares
    members = []
    for column, kind in zip(columns, kinds, strict=True):
        if source.random() < lacking:
            continue
        chance = source.random()
        value = "null" if chance < nulls else ORDINARY[kind](source)
        value = source.choice(UNUSUAL) if source.random() < unusual else value
        name = column.name.upper() if source.random() < 0.01 else column.name
        members.append(f'"{name}":{value}')
    return "{" + ",".join(members) + "}"


class NoProcesses:
    """Does what the processes do, here."""

    def __init__(self, plan: RowPlan) -> None:
        self._builder = RowPlan.from_json(plan.to_json()).builder()
        self._records = RowPlan.from_json(plan.to_json()).builder().records
        self.ordinary = self.at_once = 0

    def __len__(self) -> int:
        return 2

    def submit(self, piece: bytes) -> Future[Rows | None]:
        future: Future[Rows | None] = Future()
        future.set_result(ordinary_rows(piece, self._builder))
        self.ordinary += future.result() is not None
        self.at_once += self._records.rows(piece) is not None
        return future


def loaded(given: Case, workers: Workers | NoProcesses | None) -> Found:
    """The file as COPY reads it."""
    found = Found()
    file = JsonFile(given.blocks(), "f", given.plan.builder(), workers=workers)
    for item in file:
        if isinstance(item, BadDocument):
            found.broken.append(item)
        else:
            found.add(item)
    found.lines = file.lines
    return found


def carefully_loaded(given: Case) -> Found:
    """The same, one document after the other and one value after the other."""
    found, builder = Found(), given.plan.builder()
    documents = DocumentReader(given.blocks())
    for item in documents:
        if isinstance(item, Documents):
            for rows in one_by_one(builder, item, given):
                found.add(rows)
        else:
            found.broken.append(item)
    found.lines = documents.lines
    return found


def one_by_one(builder: RowBuilder, documents: Documents, given: Case) -> Iterator[Rows]:
    folds = given.options.json == "auto ignorecase" and not given.by_paths
    values = [fold_keys(value) for value in documents.values] if folds else documents.values
    return builder._build_singly(values, documents, "f")


SETTINGS = (
    *(
        {},
        {"accept_invalid_chars": ""},
        {"trim_blanks": True},
        {"empty_as_null": True},
        {"blanks_as_null": True},
    ),
    *({"time_format": "epochsecs"}, {"time_format": "epochmillisecs"}, {"truncate_columns": True}),
)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("not_null", [False, True])
def test_a_column_at_once_is_a_column_one_by_one(settings, not_null):
    options = Options(json="auto", **settings)
    for number, type_name in enumerate(TYPES):
        column = column_of(type_name, number, not_null=not_null)
        batch, convert = batch_for(column, options), converter_for(column, options)
        for text in UNUSUAL if batch else ():
            values = parsed(text)
            at_once = batch(values)
            assert at_once is None or at_once == [convert(value) for value in values], (type_name, text)


def parsed(text: str) -> list[object]:
    """The value as a file's reader finds it."""
    (documents,) = DocumentReader([f'{{"a":{text}}}\n'.encode(errors="surrogateescape")])
    assert isinstance(documents, Documents)
    return [value["a"] for value in documents.values]


def check(seeds: Sequence[int]) -> None:
    """Load files in all ways, most of them in the short ones."""
    documents = ordinary = at_once = 0
    for seed in seeds:
        given = case(random.Random(seed))
        expected, workers = carefully_loaded(given), NoProcesses(given.plan)
        assert loaded(given, None) == expected, f"file {seed}"
        assert loaded(given, workers) == expected, f"file {seed}"
        documents += expected.count + len(expected.errors) + len(expected.broken)
        ordinary += workers.ordinary > 0
        at_once += workers.at_once > 0
    assert documents > 20 * len(seeds)
    assert ordinary > len(seeds) // 5
    assert at_once > len(seeds) // 10


@pytest.mark.parametrize("first", SHORT[::EACH])
def test_short_ways_give_what_the_careful_way_gives(first):
    check(range(first, first + EACH))


@pytest.mark.parametrize("first", LONG[::EACH])
def test_short_ways_give_what_the_careful_way_gives_of_very_many_files(first):
    check(range(first, first + EACH))
