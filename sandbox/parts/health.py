"""The one address of the AWS API server that needs no signature."""

HEALTH_PATH = "/_sandbox/health"
