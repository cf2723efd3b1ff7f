// assume in target q'RETURN true
// assert that version is 4.4, 5.26 or 2026.05
CREATE (:A);
