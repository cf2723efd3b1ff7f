"""The bundled tool's main program; bin/graphmigrate starts it with the bundled Python."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "packages"))

from graphmigrate.cli import main

main()
