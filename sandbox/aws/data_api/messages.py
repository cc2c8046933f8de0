"""Requests and answers of the Data API, and its refusals."""

from sandbox.aws.json_api import JsonApi, Values, invalid, refuse
from sandbox.aws.refusals import RefusalError

NAME = "redshift-data"
API = JsonApi(NAME)

__all__ = ["API", "NAME", "Values", "invalid", "missing", "refuse"]


def missing(message: str) -> RefusalError:
    """The refusal of a statement or result that is not there."""
    return refuse("ResourceNotFoundException", message)
