"""The error every part of the sandbox raises when the user can do something about it."""


class SandboxError(Exception):
    """Something went wrong that the message explains, together with what to do next.

    The command line prints it as one line (or a short block) without a traceback and exits with 1.
    """
