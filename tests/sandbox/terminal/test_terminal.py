"""What strangers bring into logs and messages does not steer the terminal that shows them."""

import argparse
import io
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.airflow.dag_run import TaskEvent, TaskProgress
from sandbox.commands import logs
from sandbox.commands.foreground import _Log
from sandbox.demo import demo
from sandbox.terminal.console import note, printable

HOSTILE = "a\x1b[2J\x07\r\x9b31m\u202eb"
HARMLESS = r"a\x1b[2J\x07\r\x9b31m\u202eb"


def console() -> Console:
    return Console(file=io.StringIO(), width=200, highlight=False)


@pytest.mark.parametrize("text", ["\ud800", "caf\udce9", "\x00", "\u2066", "\ufeff", "\U000e0001"])
def test_any_text_can_be_shown(text: str):
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode()


def test_warnings_and_errors_are_escaped(capsys: pytest.CaptureFixture[str]):
    note(f"Error: {HOSTILE}\nnext")
    assert capsys.readouterr().err == f"Error: {HARMLESS}\nnext\n"


def test_logs_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "home" / "logs").mkdir(parents=True)
    (tmp_path / "home" / "logs" / "aws.log").write_bytes(f"{HOSTILE.strip()} ü\n".encode() + b"\xe9\n")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    parser = argparse.ArgumentParser()
    logs.add_arguments(parser)
    assert logs.run(parser.parse_args(["aws"])) == 0
    assert capsys.readouterr().out == f"{HARMLESS} ü\n\\xe9\n"


def test_logs_of_parts_in_the_foreground_are_escaped_and_letters_in_two_parts_are_whole(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
):
    path = tmp_path / "aws.log"
    log = _Log(path)
    for part in (f"{HOSTILE}\n".encode() + "ü".encode()[:1], "ü".encode()[1:] + b"\xe9\n"):
        with path.open("ab") as file:
            file.write(part)
        log.show()
    assert capsysbinary.readouterr().out.decode() == f"{HARMLESS}\nü\\xe9\n"


def test_the_failure_of_a_task_is_shown_escaped():
    tasks = console()
    with TaskProgress(tasks) as progress:
        progress.watch(TaskEvent("load", "failed", HOSTILE.replace("\r", "")))
    explained = console()
    demo._explain(explained, [HOSTILE], Path("demo.log"))
    for shown in (tasks, explained):
        text = shown.file.getvalue()  # type: ignore[attr-defined]
        assert r"a\x1b[2J\x07" in text
        assert all(letter.isprintable() or letter == "\n" for letter in text)
