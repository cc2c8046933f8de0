from pathlib import Path

import pytest

from sparkify.failures import FatalError, explain
from sparkify.text import printable
from sparkify.warehouse.rejected_rows import RejectedRow


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünïcode 中文 ✓", "plain Ünïcode 中文 ✓"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x07\x00\x7f\x9b", "\\x07\\x00\\x7f\\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        (Path("caf\udce9"), "caf\\xe9"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_escaped(text, shown):
    assert printable(text) == shown


def test_line_ends_stay_where_they_are_ours():
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_messages_of_a_load_show_what_files_and_servers_say_escaped():
    row = RejectedRow("s3://b/\x1b]0;x\x07.json", 1, "\x1bc", "int4", "\x1b[2J", None, 1, "Invalid \x9b")
    assert printable(str(row)) == str(row)
    assert "\\x1b]0;x\\x07.json" in str(row)
    said = explain(FatalError("s3://b/\x1b[2J.json\nline two"), "loading")
    assert said == "s3://b/\\x1b[2J.json\nline two"
