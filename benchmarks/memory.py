"""A data migration that moves two gigabytes in batches: the peak memory of the client.

The server makes the payload itself (a megabyte a node, by doubling a string), so the bench needs no file of that size; what is
measured is that the client keeps nothing of what passed, however much it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Bench, Figure, run, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES, MEGABYTES_EACH, BATCH = 2048, 1, 16
TARGET_MEGABYTES = 150.0
_PAYLOAD = "reduce(text = '0123456789abcdef', doubling IN range(1, 16) | text + text)"


def figures(bench: Bench) -> Iterator[Figure]:
    """Run it once; memory does not vary as time does."""
    bench.wipe()
    folder = write_files(
        bench.folder / "batches",
        {
            "V1__nodes": f"UNWIND range(1, {NODES}) AS id CREATE (:Load {{id: id}});",
            "V2__payload": f"// graphmigrate: batch {BATCH}\n"
            f"MATCH (n:Load) WHERE n.payload IS NULL WITH n LIMIT $batch SET n.payload = {_PAYLOAD};",
        },
    )
    sample = run(bench.graphmigrate(folder, "migrate"))
    with bench.driver() as driver:
        record = driver.execute_query("MATCH (n:Load) RETURN sum(size(n.payload)) AS size").records[0]
    detail = f"{record['size'] / 2**30:.2f} GiB in {NODES // BATCH} batches, {sample.seconds:.0f} s"
    yield Figure("peak memory, data migration in batches", sample.megabytes, TARGET_MEGABYTES, "MB", detail)
    with bench.driver() as driver, driver.session() as session:
        session.run(f"MATCH (n:Load) CALL (n) {{ DELETE n }} IN TRANSACTIONS OF {BATCH} ROWS").consume()
    bench.wipe()
