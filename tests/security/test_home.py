"""Nobody but its owner can change, replace or read a sandbox's folder."""

import os
import stat
from pathlib import Path

import pytest

from sandbox.demo.upload import upload
from sandbox.parts import processes
from sandbox.parts.privacy import PrivacyError, make_private, tighten
from sandbox.parts.settings import Settings, home_folder
from tests.sandbox.redshift.copying import AS_JSON
from tests.security.private_home import of_others, readable_by_others

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can give a folder away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_a_new_home_is_private_whatever_the_umask(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        make_private(tmp_path / "home")
    finally:
        os.umask(before)
    assert mode(tmp_path / "home") == 0o700


@pytest.mark.parametrize("bits", [0o770, 0o707, 0o777, 0o720])
def test_a_home_that_others_may_write_to_is_refused(
    tmp_path: Path, bits: int, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(bits)
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    with pytest.raises(PrivacyError, match="chmod 700"):
        Settings.load()
    assert not list(home.iterdir())


@needs_root
def test_a_home_of_somebody_else_is_refused(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 12345, 12345)
    with pytest.raises(PrivacyError, match=r"belongs to another user \(id 12345\)"):
        make_private(home)


@needs_root
def test_a_home_in_a_folder_of_somebody_else_is_refused(tmp_path: Path):
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    with pytest.raises(PrivacyError, match="user 12345, who owns it"):
        make_private(tmp_path / "theirs" / "home")


def test_a_home_where_everyone_may_rename_it_is_refused_unless_the_folder_is_sticky(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(PrivacyError, match="everyone may write to it"):
        make_private(shared / "home")
    shared.chmod(0o1777)
    make_private(shared / "home")


def test_of_a_link_the_target_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "target").mkdir()
    (tmp_path / "target").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "link"))
    assert home_folder() == tmp_path / "target"
    with pytest.raises(PrivacyError, match="chmod 700"):
        Settings.load()


def test_what_an_earlier_version_left_open_is_closed_and_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    for path in (home, home / "logs"):
        path.chmod(0o755)
    (home / "logs" / "a.log").write_text("x")
    (home / "logs" / "a.log").chmod(0o666)
    (home / "link").symlink_to(outside)
    (home / "folder").symlink_to(tmp_path)
    os.mkfifo(home / "pipe", 0o666)

    tighten(home)

    assert readable_by_others(home) == []
    assert mode(outside) == 0o644


def test_a_log_that_is_a_link_is_not_written_through(tmp_path: Path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.log").symlink_to(tmp_path / "precious")
    with pytest.raises(processes.ProcessError):
        processes.spawn(["/bin/echo", "planted"], tmp_path / "a.log", {})
    assert (tmp_path / "precious").read_text() == "mine"


def test_nobody_else_can_read_anything_of_a_running_sandbox(
    sandbox: Settings, connector, put, tmp_path: Path
):
    """Whatever the umask of who loads: the servers made the files."""
    before = os.umask(0)
    try:
        (tmp_path / "log_data").mkdir()
        (tmp_path / "log_data" / "a.json").write_text('{"a": 1}')
        assert upload(sandbox, tmp_path, show=False).size
        url = put(good='{"a": 1}', bad='{"a": "x"}')
        connector.run(f"COPY t FROM '{url}' {AS_JSON} MAXERROR 2")
        connector.connection.commit()
        connector.fail(f"COPY t FROM '{url}' {AS_JSON}")
    finally:
        os.umask(before)
    assert {"s3", "logs", "postgres"} <= {path.name for path in sandbox.home.iterdir()}
    assert readable_by_others(sandbox.home) == []
    assert of_others(sandbox.home) == []


def test_a_file_that_is_open_or_of_somebody_else_would_be_found(tmp_path: Path):
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o640)
    tmp_path.chmod(0o700)
    assert readable_by_others(tmp_path) == [f"{tmp_path / 'open'} 0640"]
    assert of_others(tmp_path) == []
    if ROOT:
        os.chown(tmp_path / "open", 12345, 12345)
        assert of_others(tmp_path) == [f"{tmp_path / 'open'} 12345"]
