"""Processes that hide their environment variables, as the workers of Airflow's executors do."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess

import pytest

from sandbox.parts import processes

# Root reads the variables of every process: it looks, and starts what it looks for, as somebody else.
USER = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
COMMANDS = {"stays": ["sleep", "600"], "ends": ["true"], "is a zombie": ["true"]}
PR_SET_DUMPABLE = 4


@contextlib.contextmanager
def ordinary_user():
    before = os.geteuid()
    os.seteuid(USER)
    try:
        yield
    finally:
        os.seteuid(before)


def leave_hidden_child():
    """Fork a process that hides its variables, before this one becomes the command it is to run."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        os.write(1, b"hidden\n")
        os.closerange(1, 4096)
        while True:
            signal.pause()


@pytest.fixture
def family(request, tmp_path):
    """The first process of a session, which has a hidden child, of the part `a part`."""
    leader = subprocess.Popen(
        COMMANDS[request.param],
        env={**os.environ, processes.PART: "a part", "SANDBOX_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        start_new_session=True,
        user=USER,
        preexec_fn=leave_hidden_child,  # noqa: PLW1509 - between fork and exec is where a hidden child is born
    )
    assert leader.stdout
    assert leader.stdout.readline() == b"hidden\n"
    if request.param == "ends":
        leader.wait()
    elif request.param == "is a zombie":
        os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
    yield leader
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    leader.stdout.close()


@pytest.mark.parametrize("family", COMMANDS, indirect=True)
def test_it_is_found_by_its_session_whether_or_not_the_first_process_lives(family, tmp_path):
    with ordinary_user():
        found = processes.find_part("a part", tmp_path, [family.pid])
        readable = processes.find_part("a part", tmp_path)
        hidden = [process for process in found if process not in readable]
        processes.stop(hidden, signal.SIGTERM)
        left = processes.find_part("a part", tmp_path, [family.pid])
    assert len(hidden) == 1
    assert left == readable


@pytest.mark.parametrize("family", ["stays"], indirect=True)
def test_one_whose_session_belongs_to_somebody_else_is_left_alone(family, tmp_path):
    with ordinary_user():
        assert processes.find_part("another part", tmp_path, [family.pid]) == []
        assert processes.find_part("a part", tmp_path / "elsewhere", [family.pid]) == []
