"""Sample data of a second dataset: a chain of electronics stores, and what each sells in a month."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.demo.sample.chance import below, pick, stream
from sandbox.demo.sample.generate import Request, SampleError
from sandbox.demo.sample.words import PLACE_ENDS, PLACE_STARTS

STORES = 40
FOLDERS = ("store_data", "sales_data")
_BRANDS = ("Lumio", "Ohmart", "Voltara")
_REGIONS = ("Nord_Est", "Nord_Ouest", "Sud_Est", "Sud_Ouest")
_LOCATIONS = ("Centre_Commercial", "Centre_Ville", "Peripherie")


def write_stores(out: Path, request: Request) -> tuple[int, int]:
    """Write one file a store, and one file of sales for each month that the request covers.

    Args:
        out: the folder; made when missing.
        request: its seed, first day and number of days count; the same ones give the same bytes.

    Returns:
        How many stores and how many months were written.

    Raises:
        SampleError: the request is impossible, or `out` holds other files in these folders.
    """
    request.check()
    stores = _stores(request.seed)
    months = list(_months(request))
    files = {f"store_data/store-{number:03d}.json": _line(store) for number, store in enumerate(stores, 1)}
    for month in months:
        lines = (_line(sale) for sale in _sales(request.seed, stores, month))
        files[f"sales_data/{month:%Y/%Y-%m}-sales.json"] = "".join(lines)
    _check_folder(out, files)
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii", newline="\n")
    return len(stores), len(months)


def _check_folder(out: Path, files: dict[str, str]) -> None:
    """Refuse to mix the sample with what somebody else wrote, or another request."""
    for path in (path for folder in FOLDERS for path in sorted((out / folder).rglob("*"))):
        if path.is_dir():
            continue
        if path.read_bytes() != files.get(path.relative_to(out).as_posix(), "").encode():
            raise SampleError(
                f"{path} is there already and is no file of this sample; nothing was changed. "
                "Give an empty folder."
            )


def _months(request: Request) -> Iterator[date]:
    """Give the first day of every month with a day of the request."""
    last = request.start + timedelta(days=request.days - 1)
    month = request.start.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _stores(seed: int) -> list[dict[str, Any]]:
    """Make the stores; city, brand and location together are those of no other."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    rng = stream(seed, "stores")
    while len(found) < STORES:
        city = f"{pick(rng, PLACE_STARTS)}{pick(rng, PLACE_ENDS)}"
        key = (city, pick(rng, _BRANDS), pick(rng, _LOCATIONS))
        young, middle = 200 + below(rng, 200), 100 + below(rng, 150)
        found[key] = {
            "City": key[0],
            "Brand": key[1],
            "Ads": (500 + below(rng, 1000)) / 10,
            "Region": pick(rng, _REGIONS),
            "Location": key[2],
            "Nb_cash_register": 4 + below(rng, 20),
            "Population": 20_000 + below(rng, 1_500_000),
            "Blue_collar_rate": (50 + below(rng, 250)) / 10,
            "White_collar_rate": (20 + below(rng, 150)) / 10,
            "Jobless_rate": (40 + below(rng, 360)) / 10,
            "Lt_25_yo": young / 10,
            "25_35_yo": middle / 10,
            "gt_35_yo": (1000 - young - middle) / 10,
        }
    return list(found.values())


def _sales(seed: int, stores: list[dict[str, Any]], month: date) -> Iterator[dict[str, Any]]:
    rng = stream(seed, "sales", month)
    for store in stores:
        budget = 1000 * (50 + below(rng, 400))
        yield {
            "city": store["City"],
            "brand": store["Brand"],
            "location": store["Location"],
            "month": f"{month} 00:00:00",
            "budget": budget,
            "actual": budget * (70 + below(rng, 60)) // 100,
        }


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"
