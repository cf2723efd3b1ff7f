// graphmigrate: batch 100
MATCH (n:A) WITH n LIMIT $batch DELETE n;
MATCH (n:B) WITH n LIMIT $batch DELETE n;
