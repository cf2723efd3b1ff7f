// graphmigrate: batch 100
CREATE INDEX x FOR (n:A) ON (n.b);
