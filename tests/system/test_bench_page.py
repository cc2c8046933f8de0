"""The bench of the page runs and tells every page; how long any takes is not for tests to judge."""

import os
import re
import subprocess
import sys
import tempfile

import pytest

from tests.conftest import REPOSITORY

SMALL = ["--plays", "1000", "--loads", "140", "--files", "120", "--rejected", "120"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_page_has_its_figures_and_nothing_is_left():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bench.page", *SMALL],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        assert os.listdir(folder) == []  # noqa: PTH208 - names, to be shown
    assert done.returncode in (0, 1), done.stderr
    figures = re.findall(r"^/warehouse/(\S*) +(\d+) +(\d+)$", done.stdout, re.MULTILINE)
    pages = {page.partition("?")[0] for page, *_ in figures}
    assert pages >= {"", "cluster", *(f"sparkify/{name}" for name in ("hours", "loads", "quality", "files"))}
    assert all(int(median) <= int(slowest) for _, median, slowest in figures)
