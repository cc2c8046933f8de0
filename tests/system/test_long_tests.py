"""What `make test` leaves out is there: a name that is no test's would leave out nothing."""

import re

import pytest

from tests.conftest import REPOSITORY
from tests.long_tests import NAMED


@pytest.mark.parametrize("name", NAMED)
def test_each_name_is_the_beginning_of_a_tests(name):
    file, _, parts = name.partition("::")
    text = (REPOSITORY / "tests" / file).read_text()
    for part in filter(None, parts.partition("[")[0].split("::")):
        assert re.search(rf"^\s*(def|class) {part}", text, re.MULTILINE)
