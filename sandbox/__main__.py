"""``python -m sandbox``: see `sandbox.commands.cli`."""

import signal
import sys

from sandbox.commands.cli import main
from sandbox.parts.privacy import keep_private

if __name__ == "__main__":
    # Let `up` clean up after itself when it is told to end, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if sys.argv[1:2] not in (["sample"], ["psql"]):  # these write where their user says
        keep_private()
    sys.exit(main())
