"""``python -m sandbox sample``: its options and what it prints."""

import argparse
from pathlib import Path

import pytest

from sandbox.commands import sample
from sandbox.demo.sample import Request


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    sample.add_arguments(parser)
    return parser.parse_args(options)


def test_it_writes_what_the_options_ask_for_and_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--seed=3", "--start=2020-02-28", "--days=3", "--events=1500", "--songs=12", "--users=25"]

    assert sample.run(parse("--out", str(tmp_path), *options)) == 0
    days = sorted(path.name[:10] for path in tmp_path.glob("log_data/2020/*/*.json"))
    assert days == ["2020-02-28", "2020-02-29", "2020-03-01"]
    assert "1,500 events of 25 listeners in 3 files" in capsys.readouterr().out


def test_the_defaults_are_a_month_of_2018() -> None:
    args = parse("--out", "x")

    assert (args.seed, args.start, args.days, args.events, args.songs, args.users) == (
        Request.seed,
        Request.start,
        Request.days,
        Request.events,
        Request.songs,
        None,
    )
    assert (str(args.start), args.days) == ("2018-11-01", 30)


def test_a_start_that_is_no_day_is_refused_with_the_way_to_write_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse("--out", "x", "--start", "2018-11-31")
    assert "'2018-11-31' is no day; write it as 2018-11-01" in capsys.readouterr().err
