"""The tables of docs/sizing.md, from ten thousand events a day to ten billion (`make docs`)."""

import math
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins")]

from sparkify.cluster.plan import HOURLY_PRICES  # noqa: E402 - after the path

PAGE = ROOT / "docs" / "sizing.md"
BLOCK = re.compile(r"(<!-- Made by docs/sizing.py: (\w+) -->\n\n).*?(\n\n<!-- End -->)", re.DOTALL)
EVENTS_A_DAY = [10**power for power in range(4, 11)]
HOURS_A_MONTH, HOURS_A_YEAR = 730, 8760
TB = 10**12


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number that the tables are made of.

    Args:
        value: the number.
        what: what it counts, with its unit.
        source: who says so.
    """

    value: float
    what: str
    source: str


EVENT = Assumption(474, "bytes of JSON an event", "measured: `sandbox sample` (published files: 469)")
GZIP = Assumption(0.125, "of that after gzip", "measured: the same, gzip -6 (published files: 0.09)")
SLICE = Assumption(20e6, "bytes of JSON a second that a slice copies", "UNCONFIRMED; measure it, see below")
STORED = Assumption(2, "times the gzip size kept in the warehouse: event and play", "UNCONFIRMED")
LONGEST = Assumption(300, "seconds that a run may copy", "our choice: leaves 55 minutes for all else")
FILE = Assumption(1e9, "bytes after gzip that a file may have", "Redshift guide, *Loading data files*")
SHORT = Assumption(60, "seconds of a run's short statements", "Serverless bills no less; else UNCONFIRMED")
STAR = Assumption(1, "times the COPY for staging and the star", "UNCONFIRMED; the sandbox cannot tell")
STATEMENTS = Assumption(75, "statements of an ordinary hour", "measured: [bench.md](bench.md)")
SONGS = Assumption(15_000, "song files of the catalogue", "as in [bench.md](bench.md)")
LOOK_BACK = Assumption(3, "days that a run looks back", "`look_back_days` of `sparkify_etl`")
TASKS = Assumption(3, "tasks of a run at once, at most", "`dags/sparkify_etl.py`")
SLOTS = Assumption(16, "tasks at once of a Celery worker", "Celery provider, `worker_concurrency`")
RPU_HOUR = Assumption(0.375, "USD an RPU-hour, us-east-1", "UNCONFIRMED: a copy of AWS's price page, 2026-10")
RPU_MEMORY = Assumption(16, "GB of memory an RPU", "Redshift guide, *Compute capacity for Serverless*")
STORAGE = Assumption(0.024, "USD a GB and month, managed storage", "UNCONFIRMED: third-party tables")
TIER_1 = Assumption(0.005, "USD a thousand LIST or PUT", "UNCONFIRMED: third-party tables")
TIER_2 = Assumption(0.0004, "USD a thousand HEAD or GET", "UNCONFIRMED: third-party tables")
ASSUMPTIONS = [one for one in globals().copy().values() if isinstance(one, Assumption)]

# What plan.py knows goes before. UNCONFIRMED: third-party tables.
PRICES = {"ra3.4xlarge": 3.26, "ra3.16xlarge": 13.04} | HOURLY_PRICES


@dataclass(frozen=True, slots=True)
class Nodes:
    """So many nodes of a type.

    Args:
        node_type: its name.
        count: how many.
        slices: of one node.
        memory: GiB of one node.
        storage: TB that one node may manage.
    """

    node_type: str
    count: int
    slices: int
    memory: int
    storage: int

    @property
    def price(self) -> float:
        """USD an hour."""
        return PRICES[self.node_type] * self.count

    @property
    def total_slices(self) -> int:
        """Slices of all nodes."""
        return self.slices * self.count

    def holds(self, slices: int, terabytes: float) -> bool:
        """Tell whether they have these slices and may manage this storage."""
        return self.total_slices >= slices and self.storage * self.count >= terabytes

    def __str__(self) -> str:
        return f"{self.count} {self.node_type} ({self.total_slices})"


# Redshift Management Guide, "Amazon Redshift provisioned clusters", node type details. It does not list RG.
CLUSTERS = [
    Nodes("ra3.large", 1, 2, 16, 1),
    *(Nodes("ra3.large", count, 2, 16, 8) for count in range(2, 17)),
    *(Nodes("ra3.xlplus", count, 2, 32, 32) for count in range(2, 33)),
    *(Nodes("ra3.4xlarge", count, 4, 96, 128) for count in range(2, 33)),
    *(Nodes("ra3.16xlarge", count, 16, 384, 128) for count in range(2, 129)),
]


@dataclass(frozen=True, slots=True)
class Sizing:
    """What so many events a day come to, with 24 runs a day.

    Args:
        events: how many.
        wanted: the layout, where it is not to be the first that fits.
    """

    events: int
    wanted: str = ""

    @property
    def day(self) -> float:
        """Bytes of JSON a day."""
        return self.events * EVENT.value

    @property
    def hour(self) -> float:
        """Bytes of JSON an hour."""
        return self.day / 24

    @property
    def layout(self) -> str:
        """How to write files: `day`, `hour` or `part`, several an hour."""
        sizes = {"day": self.day, "hour": self.hour}
        fitting = (name for name, size in sizes.items() if _fits_one_file(size))
        return self.wanted or next(fitting, "part")

    @property
    def stored(self) -> float:
        """Bytes in the warehouse after a year."""
        return self.day * GZIP.value * STORED.value * 365

    @property
    def nodes(self) -> Nodes:
        """The cheapest nodes that copy in time and may keep a year."""
        slices = math.ceil(self.hour / SLICE.value / LONGEST.value)
        fit = [nodes for nodes in CLUSTERS if nodes.holds(slices, self.stored / TB)]
        return min(fit, key=lambda nodes: nodes.price)

    @property
    def files(self) -> int:
        """Files an hour that a run copies: one, or a multiple of the slices."""
        if self.layout != "part":
            return 1
        slices = self.nodes.total_slices
        return slices * math.ceil(self.hour * GZIP.value / slices / FILE.value)

    @property
    def file(self) -> float:
        """Bytes of one file after gzip."""
        return (self.day if self.layout == "day" else self.hour / self.files) * GZIP.value

    @property
    def copied(self) -> float:
        """Bytes of JSON that the 24 runs of a day copy; a day's file grows while they do."""
        return sum(range(1, 25)) * self.hour if self.layout == "day" else self.day

    @property
    def longest_copy(self) -> float:
        """Seconds of the COPY of a run, at most: a file is one slice's work."""
        slices = self.nodes.total_slices if self.layout == "part" else 1
        return (self.day if self.layout == "day" else self.hour) / SLICE.value / slices

    @property
    def busy(self) -> float:
        """Seconds that a run keeps the warehouse busy, on average."""
        copy = self.longest_copy * self.copied / self.day / (24 if self.layout == "day" else 1)
        return SHORT.value + copy * (1 + STAR.value)

    @property
    def rpus(self) -> int:
        """RPUs of about the memory of `nodes`, and no fewer than the storage asks for."""
        least = 4 if self.stored <= 32 * TB else 8 if self.stored <= 128 * TB else 32
        wanted = max(least, math.ceil(self.nodes.memory * self.nodes.count / RPU_MEMORY.value))
        return wanted if wanted <= 4 else math.ceil(wanted / 8) * 8

    @property
    def requests(self) -> dict[str, int]:
        """Requests of an ordinary run for events: its own, and COPY's for files, manifest and jsonpaths."""
        gets = self.files + 2 + self.looks
        if self.layout == "part":
            # Looked at again once they are copied: few of them one by one, behind a LIST.
            heads = self.files if self.files <= 100 else 0
            return {"LIST": 2 * math.ceil(self.files / 1000), "PUT": 2, "HEAD": heads, "GET": gets}
        before = int(LOOK_BACK.value) * (24 if self.layout == "hour" else 1)
        # The window's key and those before it, then the copied one again: a LIST each finds a missing bucket.
        return {"LIST": 3, "PUT": 2, "HEAD": before + 2, "GET": gets}

    @property
    def looks(self) -> int:
        """New files of which the first part is read before they are copied, for their fields."""
        return min(self.files, 32) if self.layout == "part" else 1

    @property
    def tier_1(self) -> int:
        """LIST and PUT of an ordinary run, pages of song files among them."""
        return self.requests["LIST"] + self.requests["PUT"] + math.ceil(SONGS.value / 1000)

    @property
    def tier_2(self) -> int:
        """HEAD and GET of an ordinary run."""
        return self.requests["HEAD"] + self.requests["GET"]

    @property
    def month(self) -> dict[str, float]:
        """USD a month, by what is paid for; storage after a year."""
        requests = (self.tier_1 * TIER_1.value + self.tier_2 * TIER_2.value) / 1000
        return {
            "cluster": self.nodes.price * HOURS_A_MONTH,
            "serverless": self.rpus * RPU_HOUR.value * self.busy / 3600 * HOURS_A_MONTH,
            "storage": self.stored / 1e9 * STORAGE.value,
            "requests": requests * HOURS_A_MONTH,
        }


def _fits_one_file(size: float) -> bool:
    return size * GZIP.value <= FILE.value and size / SLICE.value <= LONGEST.value


WRITE = {"day": "a file a day", "hour": "a file an hour", "part": "{files} files an hour"}


def page() -> str:
    """Return docs/sizing.md with its tables made anew."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], PAGE.read_text())


def _files() -> str:
    heads = ("events a day", "JSON a day", "write", "a file, gzip", "copied a day", "longest COPY")
    return _table(
        heads,
        (
            (
                f"{one.events:,}",
                _size(one.day),
                WRITE[one.layout].format(files=one.files),
                _size(one.file),
                _size(one.copied),
                f"{one.longest_copy:,.0f} s" if one.longest_copy >= 1 else "< 1 s",
            )
            for one in map(Sizing, EVENTS_A_DAY)
        ),
    )


def _prices() -> str:
    heads = (
        "events a day",
        "kept, a year",
        "nodes (slices)",
        "cluster",
        "RPUs",
        "Serverless",
        "storage",
        "S3",
    )
    return _table(
        heads,
        (
            (
                f"{one.events:,}",
                _size(one.stored),
                str(one.nodes),
                f"{one.month['cluster']:,.0f}",
                str(one.rpus),
                f"{one.month['serverless']:,.0f}",
                f"{one.month['storage']:,.2f}"
                if one.month["storage"] < 10
                else f"{one.month['storage']:,.0f}",
                f"{one.month['requests']:,.2f}",
            )
            for one in map(Sizing, EVENTS_A_DAY)
        ),
    )


def _runs() -> str:
    heads = ("events a day", "statements", "LIST, PUT", "HEAD, GET", "ledger rows a year", "busy", "workers")
    return _table(
        heads,
        (
            (
                f"{one.events:,}",
                f"{STATEMENTS.value:,.0f}",
                str(one.tier_1),
                str(one.tier_2),
                f"{one.files * HOURS_A_YEAR:,}",
                f"{one.busy:,.0f} s",
                str(math.ceil(TASKS.value * one.busy / 3600 / SLOTS.value)),
            )
            for one in map(Sizing, EVENTS_A_DAY)
        ),
    )


def _layouts() -> str:
    """Return up to how many events a layout serves, and what ten million events a day cost in each."""
    events = min(FILE.value / GZIP.value, LONGEST.value * SLICE.value) / EVENT.value
    limits = {
        "day": f"{_round(events / 1e6)} million",
        "hour": f"{_round(events * 24 / 1e6)} million",
        "part": "",
    }
    heads = (
        "write",
        "up to, a day",
        "10 million: copied a day",
        "by a backfill of the day",
        "longest COPY",
        "busy",
    )
    return _table(
        heads,
        (
            (
                WRITE[one.layout].format(files=one.files),
                limits[one.layout],
                _size(one.copied),
                _size(one.day * (24 if one.layout == "day" else 1)),
                f"{one.longest_copy:,.0f} s",
                f"{one.busy:,.0f} s a run",
            )
            for one in (Sizing(10**7, layout) for layout in limits)
        ),
    )


def _assumptions() -> str:
    return _table(("", "", "source"), ((_number(one.value), one.what, one.source) for one in ASSUMPTIONS))


TABLES: dict[str, Callable[[], str]] = {
    "files": _files,
    "layouts": _layouts,
    "prices": _prices,
    "runs": _runs,
    "assumptions": _assumptions,
}


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def _size(size: float) -> str:
    units = ((TB, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    unit, name = next((unit, name) for unit, name in units if size >= unit)
    return f"{_round(size / unit)} {name}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _round(number: float) -> str:
    """Return two figures of a number: no more are known."""
    return f"{float(f'{number:.2g}'):,g}"


if __name__ == "__main__":
    PAGE.write_text(page())
