// graphmigrate: max-batches 5
CREATE (:A);
