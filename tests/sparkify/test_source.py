"""Files on S3: what a listing finds, in which order, and what it says where there is nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from sparkify.source import find_keys, list_prefix

ODD = ["o/a b+c%20&d=e.json", "o/größe ✓.json", 'o/it\'s "quoted".json', "o//twice.json", "o/a?b#c.json"]


def keys(files):
    return [file.key for file in files]


def test_folder_markers_are_no_files(source):
    for key in ("o/", "o/sub/", "o/a.json", "o/sub/b.json"):
        source.put(key, "" if key.endswith("/") else "{}")
    assert keys(list_prefix(source.s3, source.bucket, "o/")) == ["o/a.json", "o/sub/b.json"]


def test_a_prefix_ends_where_it_ends_and_may_end_within_a_name(source):
    for key in ("o/2020-01.json", "o/2020-02.json", "o/2021-01.json", "other/2020-01.json"):
        source.put(key, "{}")
    assert keys(list_prefix(source.s3, source.bucket, "o/2020")) == ["o/2020-01.json", "o/2020-02.json"]
    assert keys(list_prefix(source.s3, source.bucket, "nothing/")) == []


def test_more_files_than_one_answer_of_s3_holds_are_all_found_in_order(source):
    expected = [f"o/{number:04}.json" for number in range(1001)]
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda key: source.put(key, b""), reversed(expected)))
    assert keys(list_prefix(source.s3, source.bucket, "o/")) == expected


def test_keys_with_any_characters_are_found_as_they_are(source):
    for key in ODD:
        source.put(key, key)
    listed = list(list_prefix(source.s3, source.bucket, "o/"))
    assert keys(listed) == sorted(ODD, key=str.encode)
    found, missing = find_keys(source.s3, source.bucket, ODD)
    assert (sorted(found, key=lambda file: file.key.encode()), missing) == (listed, [])
    assert listed[0].url == f"s3://{source.bucket}/{listed[0].key}"


def test_what_is_there_is_told_from_what_is_not_in_the_order_asked(source):
    for key in ("b", "a"):
        source.put(key, key)
    found, missing = find_keys(source.s3, source.bucket, ["z", "b", "a/", "a"])
    assert (keys(found), missing) == (["b", "a"], ["z", "a/"])


def test_another_content_is_another_version_and_the_same_is_not(source):
    versions = []
    for body in ("one", "two", "one"):
        source.put("a", body)
        versions += [file.etag for file in list_prefix(source.s3, source.bucket, "a")]
        assert '"' not in versions[-1]
    assert versions[0] == versions[2] != versions[1]


def test_times_are_naive_utc_and_sizes_bytes(source):
    source.put("a", "größe")
    [file] = list_prefix(source.s3, source.bucket, "a")
    assert (file.size, file.last_modified.tzinfo) == (7, None)
    head = source.s3.head_object(Bucket=source.bucket, Key="a")
    assert file.last_modified == head["LastModified"].replace(tzinfo=None)


@pytest.mark.parametrize("find", [list_prefix, find_keys])
def test_a_missing_bucket_is_said_to_be_missing_and_named(source, find):
    with pytest.raises(ClientError) as caught:
        list(find(source.s3, "no-such", "a"))
    error = caught.value.response["Error"]
    assert (error["Code"], error["BucketName"]) == ("NoSuchBucket", "no-such")
