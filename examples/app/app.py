"""An example application: which project has which datasets, as a page and as JSON.

It expects a migrated graph and does nothing about migrations itself: docker-compose.yml starts it after them.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

import neo4j

COLUMNS = ("project_name", "dataset_name")
QUERY = (  # names are not unique: the ids say how many there are
    "MATCH (p:Project)-[:HAS]->(d:Dataset) "
    "RETURN p.name AS project_name, d.name AS dataset_name, p.id AS project_id, d.id AS dataset_id"
)
PAGE = Template((Path(__file__).parent / "page.html").read_text())
ROW, TOP, LEFT, RIGHT, WIDTH = 34, 22, 300, 620, 920  # of the drawing, in pixels
HUES = 47  # apart, so that neighbours differ


def connect() -> neo4j.Driver:
    """Make the driver; nothing is sent yet."""
    file = os.environ.get("NEO4J_PASSWORD_FILE")
    password = Path(file).read_text().strip() if file else os.environ["NEO4J_PASSWORD"]
    return neo4j.GraphDatabase.driver(
        os.environ["NEO4J_URI"],
        auth=(os.environ.get("NEO4J_USERNAME", "neo4j"), password),
        connection_timeout=5,
    )


def rows(driver: neo4j.Driver) -> list[dict[str, str]]:
    """Ask the graph."""
    found, _, _ = driver.execute_query(neo4j.Query(QUERY, timeout=5), routing_="r")
    return sorted(
        (record.data() for record in found), key=lambda row: (row["project_name"], row["dataset_name"])
    )


def drawing(found: list[dict[str, str]]) -> str:
    """Draw projects to the left, datasets to the right, a line for each row."""
    projects = {row["project_id"]: row["project_name"] for row in found}
    datasets = {row["dataset_id"]: row["dataset_name"] for row in found}
    height = 2 * TOP + ROW * (max(len(projects), len(datasets), 1) - 1)

    def at(ids: dict[str, str], key: str) -> float:
        gap = (height - 2 * TOP) / max(len(ids) - 1, 1)
        return TOP + gap * list(ids).index(key) if len(ids) > 1 else height / 2

    hue = {key: index * HUES % 360 for index, key in enumerate(projects)}
    shapes = []
    for row in found:
        left, right = at(projects, row["project_id"]), at(datasets, row["dataset_id"])
        path = f"M{LEFT},{left:.1f} C{LEFT + 150},{left:.1f} {RIGHT - 150},{right:.1f} {RIGHT},{right:.1f}"
        title = f"{row['project_name']}: {row['dataset_name']}"
        shapes.append(
            f'<path d="{path}" style="--h:{hue[row["project_id"]]}"><title>{escape(title)}</title></path>'
        )
    for key, name in projects.items():
        y = at(projects, key)
        shapes.append(f'<circle class="p" style="--h:{hue[key]}" cx="{LEFT}" cy="{y:.1f}" r="7"/>')
        shapes.append(f'<text class="l" x="{LEFT - 16}" y="{y:.1f}">{escape(name)}</text>')
    for key, name in datasets.items():
        y = at(datasets, key)
        owners = sum(row["dataset_id"] == key for row in found)
        shared = f" <tspan>shared by {owners}</tspan>" if owners > 1 else ""
        shapes.append(f'<circle class="d" cx="{RIGHT}" cy="{y:.1f}" r="{5 + 2 * min(owners, 4)}"/>')
        shapes.append(f'<text x="{RIGHT + 20}" y="{y:.1f}">{escape(name)}{shared}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(shapes)}</svg>'


def page(found: list[dict[str, str]]) -> str:
    """Fill the page; every name from the graph is escaped."""
    cells = ((escape(row["project_name"]), escape(row["dataset_name"])) for row in found)
    return PAGE.substitute(
        drawing=drawing(found),
        query=escape(QUERY),
        rows="".join(f"<tr><td>{project}</td><td>{dataset}</td></tr>" for project, dataset in cells),
        count=len(found),
        projects=len({row["project_id"] for row in found}),
        datasets=len({row["dataset_id"] for row in found}),
    )


class Handler(BaseHTTPRequestHandler):
    """Answers ``/``, ``/datasets.json`` and ``/health``."""

    driver: neo4j.Driver

    def do_GET(self) -> None:
        try:
            if self.path == "/":
                self.answer(200, "text/html; charset=utf-8", page(rows(self.driver)))
            elif self.path == "/datasets.json":
                shown = [{name: row[name] for name in COLUMNS} for row in rows(self.driver)]
                self.answer(200, "application/json", json.dumps(shown))
            elif self.path == "/health":
                self.driver.execute_query("RETURN 1")
                self.answer(200, "text/plain", "ok\n")
            else:
                self.answer(404, "text/plain", "not found\n")
        except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError) as error:
            self.log_error("%s", error)
            self.answer(503, "text/plain", "The database does not answer. Try again soon.\n")

    def answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    with connect() as driver:
        Handler.driver = driver
        server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler)
        # shutdown() waits for the loop below, so another thread calls it
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"Serving on port {server.server_port}")
        server.serve_forever()


if __name__ == "__main__":
    main()
