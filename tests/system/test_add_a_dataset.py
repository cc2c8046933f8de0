"""The page on a new dataset, followed to the letter in a project that does not have that dataset."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.system.conftest import ROOT
from tests.system.test_docs import generate

PAGE = (ROOT / "docs" / "add-a-dataset.md").read_text()
COMMANDS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RUN = next(command for command in COMMANDS if "dags test stores_etl" in command)
NEW = {
    "dags/stores_etl.py",
    "dags/definitions/stores.py",
    *(f"include/stores/{name}" for name in ("schema.sql", "stores.sql", "sales.sql", "quality.yaml")),
}


def files_of_the_page():
    return {found["path"]: found[0].removeprefix(found["name"]) for found in generate.FILE.finditer(PAGE)}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the project without the dataset, and a sandbox of its own."""
    for folder in ("dags", "include", "plugins", "sandbox"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEW:
        (tmp_path / name).unlink()
    named = tmp_path / "dags" / "definitions" / "__init__.py"
    lines = named.read_text().replace("SPARKIFY, STORES", "SPARKIFY,").splitlines(keepends=True)
    named.write_text("".join(line for line in lines if "STORES" not in line))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "s"))
    for part in ("REDSHIFT", "AWS"):
        monkeypatch.setenv(f"SANDBOX_{part}_PORT", str(free_port()))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    yield tmp_path
    bash(tmp_path, "python -m sandbox down")


def bash(folder, *commands):
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(folder, sql):
    return bash(folder, f"python -m sandbox psql -At -c '{sql}'").splitlines()


def test_the_page_has_every_file_of_the_dataset_and_the_one_that_names_it():
    assert set(files_of_the_page()) == {*NEW, "dags/definitions/__init__.py"}


def test_a_project_that_follows_the_page_has_the_dataset(project):
    for name, text in files_of_the_page().items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    said = bash(project, *COMMANDS)
    regions = re.findall(r"^ *(?:Nord|Sud)_\w+ *\| *\d+ *\| *\d+$", said, re.MULTILINE)
    assert len(regions) == 4, said
    tables = {name: ask(project, f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("stores", "store_sales")}
    assert {name: len(rows) for name, rows in tables.items()} == {"stores": 40, "store_sales": 120}
    bash(project, RUN)
    for name, rows in tables.items():
        assert ask(project, f"SELECT * FROM {name} ORDER BY 1, 2") == rows
    assert ask(project, "SELECT COUNT(*), COUNT(DISTINCT load_id) FROM staging_sales") == ["120|1"]
