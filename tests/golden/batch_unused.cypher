// graphmigrate: batch 100
MATCH (n:A) SET n.x = '$batch';
