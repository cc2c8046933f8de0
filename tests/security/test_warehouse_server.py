"""PostgreSQL's processes hold no right of the root that has started them."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from tests.sandbox.redshift.endpoint_clients import connect_psycopg


def test_no_process_of_the_server_holds_a_capability(sandbox: Settings):
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here")
    with connect_psycopg(sandbox):  # one more process
        for process in postgres.find(sandbox.home):
            status = dict(
                line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            )
            held = {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
            assert not any(held.values()), (process.name(), held)
            assert status["Uid"].split()[0] != "0"
            assert os.getuid() != 0 or status["NoNewPrivs"] == "1"


def test_even_the_superuser_reads_no_file_of_roots(sandbox: Settings, tmp_path: Path):
    if os.getuid() != 0:
        pytest.skip("only root starts the server as another user")
    secret = tmp_path / "secret"
    secret.write_text("root's\n")
    secret.chmod(stat.S_IRUSR)
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as admin:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("SELECT pg_read_file(%s)", [str(secret)])
        with pytest.raises(psycopg.errors.ExternalRoutineException):
            admin.execute(
                sql.SQL("COPY (SELECT 1) TO PROGRAM {}").format(sql.Literal(f"cat '{secret}' >/dev/null"))
            )


@pytest.mark.long
def test_an_installation_that_only_root_reaches_is_no_reason_for_a_capability(
    new_settings: Callable[[], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if os.getuid() != 0:
        pytest.skip("only root starts the server as another user")
    installed = postgres.programs().parent
    packages = tmp_path / "private"
    packages.mkdir(mode=0o700)
    hidden = packages / installed.relative_to(installed.parents[1])
    shutil.copytree(installed, hidden, symlinks=True)
    libraries = f"{installed.parent.name}.libs"
    shutil.copytree(installed.parents[1] / libraries, packages / libraries)
    monkeypatch.setattr(postgres, "programs", lambda: hidden / "bin")
    settings = new_settings()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        copies = Path(folder)
        copies.chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        try:
            postgres.ensure_running(settings)
            server = postgres.find(settings.home)[0]
            assert Path(server.exe()).is_relative_to(copies)
            assert "CapEff:\t0000000000000000\n" in Path(f"/proc/{server.pid}/status").read_text()
        finally:
            postgres.stop(settings)
