CREATE (:A);

CREATE (:B {text: 'two
lines'});
  CREATE (:C)
;
