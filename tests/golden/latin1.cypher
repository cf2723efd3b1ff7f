CREATE (:A);
CREATE (:Grφίe);
