"""What is installed is what was locked: every package by its hash; a file with another one is refused."""

import base64
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from containers import audit
from tests.conftest import REPOSITORY, free_port

LOCKS = sorted(REPOSITORY.glob("requirements*.txt"))
CLIENTS_LOCKS = sorted(REPOSITORY.glob("tests/clients/*/requirements.txt"))
# The hash of a file that nobody has.
OTHER = "0" * 64


def entries(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """Each package of a lock and its hashes."""
    text = lock.read_text().replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        found.append((Requirement(requirement.strip()), [one.strip() for one in hashes]))
    return found


@pytest.mark.parametrize(
    "lock", [*LOCKS, *CLIENTS_LOCKS], ids=lambda lock: str(lock.relative_to(REPOSITORY).parent / lock.name)
)
def test_every_package_has_one_version_and_its_hashes(lock: Path):
    found = entries(lock)
    assert len(found) > 20 or (found and lock in CLIENTS_LOCKS)
    for package, hashes in found:
        assert [one.operator for one in package.specifier] == ["=="], package
        assert package.url is None
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), package


@pytest.mark.parametrize(
    "names", [("", "-celery", "-sandbox"), ("", "-sandbox", "-dev")], ids=["image", "venv"]
)
def test_a_package_in_two_locks_of_one_environment_is_the_same_there(names: tuple[str, ...]):
    seen: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for name in names:
        for package, hashes in entries(REPOSITORY / f"requirements{name}.txt"):
            now = (str(package.specifier), hashes)
            assert seen.setdefault((package.name, str(package.marker)), now) == now, package.name


def test_the_locks_name_no_place_to_fetch_from():
    for lock in (*LOCKS, *CLIENTS_LOCKS):
        assert "://" not in lock.read_text()
        assert not re.search(r"^-", lock.read_text(), re.MULTILINE)


def test_every_package_of_nodes_lock_has_its_hash_and_no_place():
    lock = json.loads((REPOSITORY / "tests/clients/node/package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert not any("resolved" in one for one in packages.values())


def commands() -> Iterator[tuple[str, str]]:
    """Every command of the project's files that installs Python packages, with the file it is in."""
    for name in ("Makefile", "Dockerfile", ".ci/run", "tests/compose/standins.py"):
        text = (REPOSITORY / name).read_text().replace("\\\n", " ")
        for line in text.splitlines():
            if (
                re.search(r"\b(pip|uv)\b.*\b(install|sync)\b|\buvx?\b (run|tool)", line)
                and "#" not in line[:1]
            ):
                yield name, line.strip()


def test_whatever_installs_packages_wants_hashes():
    found = list(commands())
    assert {name for name, _ in found} == {"Makefile", "Dockerfile", "tests/compose/standins.py"}
    for name, command in found:
        assert "--require-hashes" in command, f"{name}: {command}"


def test_no_code_of_a_package_runs_while_it_is_installed():
    for name, command in commands():
        if name in ("Makefile", "Dockerfile"):
            assert re.search(r"--no-build\b|--only-binary[= ]:all:", command), f"{name}: {command}"


def test_nothing_is_fetched_and_run_unseen():
    for path in ("Makefile", "Dockerfile", ".ci/run", "docker-compose.yaml"):
        text = (REPOSITORY / path).read_text()
        assert not re.search(r"(curl|wget)[^\n|]*\|\s*(ba)?sh\b", text), path
        assert not re.search(r"^ADD ", text, re.MULTILINE), path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of one file, as an index could hand it out."""
    path = tmp_path_factory.mktemp("wheels") / "parcel-1.0-py3-none-any.whl"
    info = "parcel-1.0.dist-info"
    content = {
        "parcel.py": b"",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},{_digest(data)},{len(data)}" for name, data in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


PIP = ["-m", "pip", "install", "--only-binary", ":all:", "--disable-pip-version-check"]
UV = ["-m", "uv", "pip", "install", "--no-build", "--offline", "--no-cache"]


@pytest.mark.parametrize("program", [PIP, UV], ids=["pip", "uv"])
def test_a_file_with_another_hash_and_one_without_are_refused(
    program: list[str], wheel: Path, tmp_path: Path
):
    def install(line: str) -> subprocess.CompletedProcess[str]:
        lock = tmp_path / "lock.txt"
        lock.write_text(line + "\n")
        place = ["--no-index", f"--find-links={wheel.parent}", f"--target={tmp_path / 'there'}"]
        command = [sys.executable, *program, "--require-hashes", *place, "-r", str(lock)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
        )

    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for line in ("parcel==1.0", f"parcel==1.0 --hash=sha256:{OTHER}"):
        done = install(line)
        assert done.returncode != 0
        assert "hash" in done.stderr.lower()
        assert not (tmp_path / "there" / "parcel.py").exists()
    done = install(f"parcel==1.0 --hash=sha256:{right}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "parcel.py").exists()


def test_make_takes_uv_by_its_entry_of_the_lock_and_nothing_else():
    shown = subprocess.run(
        [str(shutil.which("make")), "--always-make", "--dry-run", "venv"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    first = next(line for line in shown.splitlines() if "/dev/stdin" in line)
    taken = subprocess.run(
        ["/bin/sh", "-c", first.partition("|")[0]], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    lock = {package.name: hashes for package, hashes in entries(REPOSITORY / "requirements-dev.txt")}
    assert re.findall(r"^(\S+)==", taken.stdout, re.MULTILINE) == ["uv"]
    assert re.findall(r"--hash=(\S+)", taken.stdout) == lock["uv"]


@pytest.fixture
def database() -> Iterator[tuple[str, dict[str, str]]]:
    """A database of vulnerabilities with OSV's API on this machine: its address, and holes by package."""
    holes: dict[str, str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            known = (
                [{"id": holes[asked], "aliases": [], "details": "Bad.", "affected": []}]
                if asked in holes
                else []
            )
            body = json.dumps({"vulns": known} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query", holes
        server.shutdown()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(f"parcel==1.0 --hash=sha256:{OTHER}\nbox==2.0 --hash=sha256:{OTHER}\n")
    return path


def test_an_audit_is_clean_where_the_database_knows_nothing_against_a_package(database, lock, capsys):
    url, _ = database
    assert audit.main(["--vulnerability-service", "osv", "--osv-url", url], [lock]) == audit.CLEAN
    assert "2 of 2 locked packages were checked; known holes: 0." in capsys.readouterr().out


def test_an_audit_names_package_version_and_hole(database, lock, capsys):
    url, holes = database
    holes["box"] = "PYSEC-0000-1"
    assert audit.main(["--vulnerability-service", "osv", "--osv-url", url], [lock]) == audit.FOUND
    assert "box 2.0: PYSEC-0000-1" in capsys.readouterr().out


def test_without_a_database_an_audit_is_not_clean_and_says_so(lock, capsys):
    url = f"http://127.0.0.1:{free_port()}/v1/query"
    assert audit.main(["--vulnerability-service", "osv", "--osv-url", url], [lock]) == audit.UNKNOWN
    assert "no answer from the database" in capsys.readouterr().out


def test_a_lock_without_hashes_is_not_audited(database, tmp_path, capsys):
    url, _ = database
    bare = tmp_path / "bare.txt"
    bare.write_text("parcel==1.0\n")
    assert audit.main(["--vulnerability-service", "osv", "--osv-url", url], [bare]) == audit.UNKNOWN
    assert "hash" in capsys.readouterr().out
