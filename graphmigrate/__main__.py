"""``python -m graphmigrate``: the same as the ``graphmigrate`` command."""

from graphmigrate.cli import main

if __name__ == "__main__":
    main()
