"""The least that any Python client does: import the driver, connect, run one query."""

import os

import neo4j

auth = (os.environ["NEO4J_USERNAME"], os.environ["NEO4J_PASSWORD"])
with neo4j.GraphDatabase.driver(os.environ["NEO4J_URI"], auth=auth) as driver, driver.session() as session:
    session.run("RETURN 1").consume()
