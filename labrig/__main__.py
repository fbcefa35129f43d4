"""``python -m labrig``: the same as the ``labrig`` script."""

from labrig.cli import main

main()
