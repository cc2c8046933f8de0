"""``python -m sandbox``: see `sandbox.cli`."""

import signal
import sys

from sandbox.cli import main
from sandbox.privacy import keep_private

if __name__ == "__main__":
    # Let `up` clean up after itself when it is told to end, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if sys.argv[1:2] not in (["sample"], ["psql"]):  # these write where their user says
        keep_private()
    sys.exit(main())
