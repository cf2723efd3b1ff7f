"""A web application that brings its database up to date when it starts; several workers may start at once.

uvicorn app:app --workers 4     (NEO4J_URI, NEO4J_USERNAME and NEO4J_PASSWORD say where the database is)
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neo4j
from fastapi import FastAPI, HTTPException, Request

from graphmigrate import Migrator, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).parent


def bring_up_to_date() -> Settings:
    """Wait for the database, migrate, seed. One worker does it, the others wait and then find nothing to do."""
    settings = load_settings(folder=HERE).settings
    with Migrator(settings) as migrator:
        migrator.wait(timeout=60)
        migrator.migrate()
        migrator.seed()
    return settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Serve nothing before the schema is there; where a migration fails, the worker does not start."""
    settings = await asyncio.to_thread(bring_up_to_date)
    auth = (settings.username or "neo4j", settings.password) if settings.password else None
    async with neo4j.AsyncGraphDatabase.driver(settings.uri, auth=auth) as driver:
        app.state.driver = driver
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/people")
async def people(request: Request) -> list[dict[str, Any]]:
    """List people with whom they know."""
    records, _, _ = await request.app.state.driver.execute_query(
        "MATCH (p:Person) OPTIONAL MATCH (p)-[:KNOWS]->(o:Person) "
        "RETURN p.id AS id, p.name AS name, collect(o.name) AS knows ORDER BY id"
    )
    return [record.data() for record in records]


@app.post("/people/{id_}", status_code=201)
async def add(id_: str, name: str, request: Request) -> dict[str, str]:
    """Add a person; the constraint of V1 forbids a second one with the same id."""
    try:
        await request.app.state.driver.execute_query(
            "CREATE (:Person {id: $id, name: $name})", id=id_, name=name
        )
    except neo4j.exceptions.ConstraintError:
        raise HTTPException(409, f"There is a person {id_!r} already.") from None
    return {"id": id_, "name": name}
