// Films, and what they need.
//assert that edition is Enterprise
///   ASSUME   that   version is  ge 5.26
// assume that version is 5.26
// assert that version lt 2026.01.
// assert q' MATCH (n:Film) WHERE n.title = 'it; is' RETURN count(n) = 0;
// assume q'RETURN true // really
// graphmigrate: timeout 1.5m, RETRY 3
// graphmigrate: transaction statement, repeatable
// assert nothing else breaks; we assume that all is well.
CREATE (:Film);
