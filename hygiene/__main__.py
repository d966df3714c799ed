"""Entry point of ``python -m hygiene``."""

from hygiene.cli.entry import main

main()
