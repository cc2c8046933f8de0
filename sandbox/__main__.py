"""``python -m sandbox``: see `sandbox.cli`."""

import signal
import sys

from sandbox.cli import main

if __name__ == "__main__":
    # Let `up` clean up after itself when it is told to end, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
