"""What boto reads from its JSON files, once a process."""

import botocore.loaders
import botocore.session


def share_service_models() -> None:
    """Let all of boto's sessions share what they have read.

    Each hook makes a session, which reads megabytes of JSON again: two fifths of many a test's time.
    """
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda *_: loader
