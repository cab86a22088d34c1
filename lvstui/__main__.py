"""`python -m lvstui`."""

import sys

from lvstui.cli import main

if __name__ == "__main__":
    sys.exit(main())
