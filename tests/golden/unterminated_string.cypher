CREATE (:A);
CREATE (:B {text: 'it's'});
CREATE (:C);
