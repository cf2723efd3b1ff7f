"""Makes the password of the Compose project once; with ``--show`` prints it.

Two files in the volume ``secrets``, for root and Neo4j's group: ``password``, and ``auth`` as the Neo4j image reads it.
"""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("SECRETS", "/secrets"))
NEO4J_GROUP = 7474  # that of the Neo4j image


def keep(name: str, text: str) -> None:
    """Write a file that is complete or not there."""
    made = FOLDER / f".{name}"
    made.unlink(missing_ok=True)
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "w") as file:
        file.write(text)
    if os.getuid() == 0:
        os.chown(made, 0, NEO4J_GROUP)
    made.rename(FOLDER / name)


def main() -> None:
    password, given = FOLDER / "password", os.environ.get("PASSWORD", "")
    if "--show" in sys.argv[1:]:
        print(password.read_text())
        return
    if not password.exists():
        keep("password", given or secrets.token_hex(16))
    elif given and given != password.read_text():
        print(
            "NEO4J_PASSWORD is not that of the first start, which stays. To begin anew: docker compose down -v"
        )
    keep("auth", f"neo4j/{password.read_text()}")


main()
