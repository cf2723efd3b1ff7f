/* Made by hand. */
CREATE (:A); /**/ CREATE (:B); /* /* not nested */ CREATE (:C);
