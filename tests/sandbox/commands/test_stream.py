"""`stream`: today's file grows on S3 while one watches."""

import json
import os
import signal
import subprocess
import time

import pytest

from sandbox.demo.live import today
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from tests.sandbox.commands.command_line import REPOSITORY, command, run_sandbox, s3

pytest_plugins = ("tests.sandbox.commands.command_fixtures",)


def test_todays_file_holds_what_has_happened_until_it_is_told_to_end(started: Settings):
    streamer = subprocess.Popen(
        command(started, "stream", "--every", "1", "--events", "86400"),
        cwd=REPOSITORY,
        env={**os.environ, **started.environment()},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert streamer.stdout is not None
        written = [line for line in (streamer.stdout.readline() for _ in range(5)) if "new events" in line]
        day = today(86_400)
        body = s3(started).get_object(Bucket=SOURCE_BUCKET, Key=day.key)["Body"].read().decode()
        times = [json.loads(line)["ts"] for line in body.splitlines()]
        assert len(written) == 2
        assert max(times, default=0) <= time.time() * 1000
    finally:
        streamer.send_signal(signal.SIGINT)
    assert streamer.wait(20) == 130


def test_it_says_how_to_start_a_sandbox_that_is_not_up(stopped: Settings):
    done = run_sandbox(stopped, "stream")
    assert done.returncode == 1
    assert "python -m sandbox up" in done.stderr


@pytest.mark.parametrize("words", [["--every", "0"], ["--events", "-5"], ["--every", "soon"]])
def test_a_number_that_makes_no_sense_is_refused(stopped: Settings, words: list[str]):
    assert run_sandbox(stopped, "stream", *words).returncode == 2
