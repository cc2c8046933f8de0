"""Sample data of the stores: determinism, and what is not overwritten."""

import json
from datetime import date
from pathlib import Path

import pytest

from sandbox.demo.sample import Request, SampleError
from sandbox.demo.sample.stores import STORES, write_stores

QUARTER = Request(seed=3, start=date(2018, 11, 20), days=60)


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.json")}


def read(text: bytes) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, request in (("a", QUARTER), ("b", QUARTER), ("c", Request(seed=4, start=date(2018, 11, 1)))):
        write_stores(tmp_path / name, request)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["store_data/store-001.json"] not in contents(tmp_path / "c").values()


def test_every_store_has_a_file_and_one_sale_in_each_month_with_a_day(tmp_path):
    assert write_stores(tmp_path, QUARTER) == (STORES, 3)
    found = contents(tmp_path)
    months = [name for name in sorted(found) if name.startswith("sales_data/")]
    assert [name[-18:-11] for name in months] == ["2018-11", "2018-12", "2019-01"]
    stores = [read(text) for name, text in found.items() if name.startswith("store_data/")]
    keys = {(store["City"], store["Brand"], store["Location"]) for [store] in stores}
    assert len(keys) == STORES
    for name in months:
        sales = read(found[name])
        assert {(sale["city"], sale["brand"], sale["location"]) for sale in sales} == keys
        assert {sale["month"] for sale in sales} == {f"{name[-18:-11]}-01 00:00:00"}


def test_it_may_be_written_again_and_is_not_mixed_with_another(tmp_path):
    write_stores(tmp_path, QUARTER)
    before = contents(tmp_path)
    write_stores(tmp_path, QUARTER)
    with pytest.raises(SampleError, match="nothing was changed"):
        write_stores(tmp_path, Request(seed=4))
    assert contents(tmp_path) == before
    (tmp_path / "store_data" / "mine.json").write_text("{}")
    with pytest.raises(SampleError, match=r"mine\.json is there already"):
        write_stores(tmp_path, QUARTER)


def test_an_impossible_request_is_refused(tmp_path):
    with pytest.raises(SampleError, match="days must be at least 1"):
        write_stores(tmp_path, Request(days=0))
