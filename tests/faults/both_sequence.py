"""Random sequences over two datasets at once, which share the ledger and nothing else."""

from datetime import datetime
from typing import Any

import yaml
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from tests.faults import sparkify_sequence as sparkify
from tests.faults.datasets import INCLUDE, SPARKIFY, STORES
from tests.faults.reference import Window
from tests.faults.sequences import Share, points_of, step
from tests.faults.sparkify_sequence import S3_FAULTS, Sequence, pairs_of
from tests.records import sale

MONTHS = ("2018-10", "2018-11", "2018-12", "2019-01")
S3_KEYS = ("store_data/", "sales_data/", "manifests/")
# What Sparkify's own quality check asks, which warns of each row.
PENDING_CHECK = next(
    check["sql"]
    for check in yaml.safe_load((INCLUDE / "sparkify" / "quality.yaml").read_text())["checks"]
    if check.get("name") == "facts have taken in every change"
)


def month_after(at: datetime) -> datetime:
    return STORES.period(at)[1]


def window_of(first: int, length: int) -> Window:
    """A window of whole months."""
    start = end = datetime.fromisoformat(f"{MONTHS[first]}-01")
    for _ in range(length):
        end = month_after(end)
    return start, end


windows = st.builds(window_of, st.integers(0, len(MONTHS) - 1), st.integers(1, 3))
pairs = pairs_of(windows)
points = points_of(STORES.tasks)
months = st.sampled_from(MONTHS)
sales = st.tuples(st.integers(0, 2), st.sampled_from([0, 900, 1100]))


class BothSequence(Sequence):
    """A sequence that may also do something with the stores.

    Attributes:
        sales: what was done with the stores.
        sold: the sales of each month's file, by store.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sold: dict[str, list[dict[str, Any]]] = {month: [] for month in MONTHS}
        self.sales = Share(self.world, STORES, month_after)
        self.seen = {share: (0, self.world.ledger(share.under_test)) for share in self.shares}

    @property
    def shares(self) -> list[Share]:
        """What was done with every dataset."""
        return [self.plays, self.sales]

    @initialize(back=st.sampled_from([0, 1, 31]))
    def choose_months_to_look_back(self, back: int) -> None:
        self.journal.append(f"look_back_days={back} of stores")
        self.sales.look_back_days = back

    def sell(self, month: str, found: tuple[int, int]) -> None:
        """Write what a store sells in a month, in the place of what is known of it."""
        number, actual = found
        others = [known for known in self.sold[month] if known["city"] != f"City {number}"]
        self.sold[month] = [*others, sale(number, month, actual=actual)]

    def put_month(self, month: str) -> None:
        self.world.put_sales(month, self.sold[month])
        self.sales.files_changed()

    @step(number=st.integers(0, 2), cash_registers=st.integers(1, 3))
    def put_store(self, number: int, cash_registers: int) -> None:
        self.world.put_store(number, Nb_cash_register=cash_registers)
        self.sales.files_changed()

    @step(month=months, found=st.lists(sales, max_size=3))
    def replace_sales(self, month: str, found: list[tuple[int, int]]) -> None:
        self.sold[month].clear()
        for one in found:
            self.sell(month, one)
        self.put_month(month)

    @step(month=months, found=sales, twice=st.booleans())
    def add_or_mend_sale(self, month: str, found: tuple[int, int], twice: bool) -> None:
        self.sell(month, found)
        self.sold[month] += self.sold[month][-1:] * twice
        self.put_month(month)

    @step(month=months)
    def delete_month(self, month: str) -> None:
        self.sold[month].clear()
        for key in [key for key in self.world.objects if f"{month}-sales" in key]:
            self.world.delete(key)
            self.sales.file_has_gone(key)

    @step(window=windows)
    def run_stores(self, window: Window) -> None:
        self.sales.run_at_once(window)

    @step(both=pairs)
    def run_stores_twice_at_once(self, both: tuple[Window, Window]) -> None:
        self.sales.run_at_once(*both)

    @step(both=pairs, point=points)
    def run_stores_and_be_overtaken(self, both: tuple[Window, Window], point: str) -> None:
        self.sales.run_and_be_overtaken(both, point)

    @step(window=windows, point=points, month=months, found=sales)
    def run_stores_while_a_file_changes(
        self, window: Window, point: str, month: str, found: tuple[int, int]
    ) -> None:
        def change() -> None:
            self.sell(month, found)
            self.put_month(month)

        self.sales.run_meanwhile(window, point, change)

    @step(window=windows, point=points)
    def run_stores_and_lose_the_connection(self, window: Window, point: str) -> None:
        self.sales.run_and_lose_the_connection(window, point)

    @step(window=windows, key=st.sampled_from(S3_KEYS), fault=st.sampled_from(S3_FAULTS))
    def run_stores_while_s3_fails(self, window: Window, key: str, fault: tuple[str, int]) -> None:
        self.sales.run_while_s3_fails(self.proxy, window, key, fault)

    @step(window=windows, point=points)
    def run_stores_and_die(self, window: Window, point: str) -> None:
        self.sales.run_and_die(window, point)

    @step(hours=sparkify.windows, span=windows)
    def run_both_at_once(self, hours: Window, span: Window) -> None:
        for started in [self.plays.start(hours), self.sales.start(span)]:
            started.finish()
        self.plays.has_run(hours)
        self.sales.has_run(span)

    @step(hours=sparkify.windows, span=windows, point=sparkify.points, dies=st.booleans())
    def run_sparkify_and_be_overtaken_by_stores(
        self, hours: Window, span: Window, point: str, dies: bool
    ) -> None:
        self._overtake((self.plays, hours), (self.sales, span), point, dies)

    @step(hours=sparkify.windows, span=windows, point=points, dies=st.booleans())
    def run_stores_and_be_overtaken_by_sparkify(
        self, hours: Window, span: Window, point: str, dies: bool
    ) -> None:
        self._overtake((self.sales, span), (self.plays, hours), point, dies)

    def _overtake(
        self, first: tuple[Share, Window], second: tuple[Share, Window], point: str, dies: bool
    ) -> None:
        """Start a run of another dataset while one waits at a point, at which that one may die."""
        slow = first[0].start(first[1], pause=(point,))
        waits = slow.wait_for_pause()
        fast = second[0].start(second[1])
        self.world.wait_until_blocked(fast)
        if dies and waits:
            slow.kill()
            first[0].undone |= first[0].units(first[1])
        else:
            slow.finish()
            first[0].has_run(first[1])
        fast.finish()
        second[0].has_run(second[1])

    @invariant()
    def no_dataset_touches_the_ledger_of_another(self) -> None:
        for share in self.shares:
            runs, ledger = len(share.windows), self.world.ledger(share.under_test)
            if runs == self.seen[share][0]:
                assert ledger == self.seen[share][1]
            self.seen[share] = runs, ledger

    @invariant()
    def no_dataset_waits_for_another(self) -> None:
        for share in self.shares:
            assert not share.is_done or not self.world.pending(share.under_test)
        warnings = self.world.admin(PENDING_CHECK)
        assert {source for source, *_ in warnings} <= set(SPARKIFY.tables)
        assert not self.plays.is_done or not warnings
