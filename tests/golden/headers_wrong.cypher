// assert that edition is professional
// assume that the edition is community
// assert that version is new
// asert that edition is enterprise
// assert that
// assert q'
// assert q' RETURN true; RETURN false
// assume q' RETURN 'x
// assume q' CREATE INDEX x FOR (n:A) ON (n.b)
// assume q' RETURN $x
// graphmigrate: batches 10, tiemout 3s,
// graphmigrate: timeout 30, retry, retry many, batch 0, repeatable yes, transaction each
// graphmigrate: retry 3, retry 4
// graphmigrate batch 10
/* assert that edition is enterprise */
// graphmigrate: max-batches 5
CREATE (:A); // assume that edition is community
// graphmigrate: batch 10
CREATE (:B) // assert q' RETURN true
;
