"""The bare driver: every file's statement, one after the other, in order; no ledger, no lock, no checks."""

import os
import sys
from pathlib import Path

import neo4j

files = sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.name[1:].partition("__")[0]))
auth = (os.environ["NEO4J_USERNAME"], os.environ["NEO4J_PASSWORD"])
with neo4j.GraphDatabase.driver(os.environ["NEO4J_URI"], auth=auth) as driver, driver.session() as session:
    for file in files:
        session.run(file.read_text().rstrip().removesuffix(";")).consume()
