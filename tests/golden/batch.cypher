// graphmigrate: batch 10_000, max-batches 50
MATCH (n:A) WHERE n.x IS NULL WITH n LIMIT $batch SET n.x = 1;
