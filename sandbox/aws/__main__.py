"""`python -m sandbox.aws`: run the AWS API server in the foreground."""

from sandbox.aws.server import serve
from sandbox.parts.settings import Settings

if __name__ == "__main__":
    serve(Settings.load())
