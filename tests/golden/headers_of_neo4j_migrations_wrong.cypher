// assert in schema q'RETURN true
// assert q'RETURN true'
// assume in the target q'RETURN true
/* assume in target q'RETURN true */
CREATE (:A);
