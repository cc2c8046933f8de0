"""``python -m bench.checks``: a hundred checks of a million plays, together and each by itself.

In one run, in turns, so that a busy machine is as busy for both. A number in the command line is another
number of plays.
"""

import sys

from bench.__main__ import run_in_sandbox

if __name__ == "__main__":
    sys.exit(run_in_sandbox("bench.checked_plays"))
