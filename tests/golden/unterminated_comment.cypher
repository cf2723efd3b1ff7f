CREATE (:A);
/* no end *
CREATE (:B);
