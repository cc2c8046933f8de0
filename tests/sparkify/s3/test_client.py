from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.s3.client import read_time

MOMENT = datetime(2018, 11, 15, 13, 7, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2018-11-15T13:07:09.000Z",
        "2018-11-15T13:07:09Z",
        "Thu, 15 Nov 2018 13:07:09 GMT",
        "1542287229",
    ],
)
def test_a_time_is_read_in_every_form_that_aws_writes(text):
    assert read_time(text) == MOMENT


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_of_a_listing_is_read_as_it_is(moment):
    assert read_time(moment.isoformat().replace("+00:00", "Z")) == moment


def test_what_is_no_time_is_refused_as_boto_refuses_it():
    with pytest.raises(ValueError, match="never"):
        read_time("never")
