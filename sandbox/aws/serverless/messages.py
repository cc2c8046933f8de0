"""Requests and answers of Redshift Serverless."""

from sandbox.aws.json_api import JsonApi, Values, invalid, refuse

NAME = "redshift-serverless"
API = JsonApi(NAME)

__all__ = ["API", "NAME", "Values", "invalid", "refuse"]
