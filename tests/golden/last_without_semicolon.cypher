CREATE (:A);
CREATE (:B)
// the end
