"""Processes that hide their environment variables, as the workers of Airflow's executors do."""

import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

from sandbox import processes

pytestmark = pytest.mark.skipif(os.getuid() == 0, reason="root reads every process's variables")

# The first process begins the session and waits or ends; its child hides and stays.
FAMILY = """
import ctypes, os, sys, time
if os.fork():
    time.sleep(600 if sys.argv[1] == "stays" else 0)
else:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    print("hidden", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def family(request, tmp_path):
    """The leader of a session with a hidden child, of the part `a part`."""
    variables = {**os.environ, processes.PART: "a part", "SANDBOX_HOME": str(tmp_path)}
    leader = subprocess.Popen(
        [sys.executable, "-c", FAMILY, request.param],
        env=variables,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert leader.stdout
    assert leader.stdout.readline() == b"hidden\n"
    if request.param == "ends":
        leader.wait()
    yield leader
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    leader.stdout.close()


@pytest.mark.parametrize("family", ["stays", "ends", "is a zombie"], indirect=True)
def test_it_is_found_by_its_session_whether_or_not_the_first_process_lives(family, tmp_path):
    [hidden] = processes.find_hidden("a part", tmp_path, {family.pid})
    assert hidden.pid != family.pid
    with pytest.raises(psutil.AccessDenied):
        hidden.environ()
    processes.stop([hidden], signal.SIGTERM)
    assert processes.find_hidden("a part", tmp_path, {family.pid}) == []


@pytest.mark.parametrize("family", ["stays"], indirect=True)
def test_one_whose_session_belongs_to_somebody_else_is_left_alone(family, tmp_path):
    assert processes.find_hidden("another part", tmp_path, {family.pid}) == []
    assert processes.find_hidden("a part", tmp_path, {os.getsid(0)}) == []
    assert processes.find_hidden("a part", tmp_path, set()) == []
