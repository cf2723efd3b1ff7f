CREATE (:A);
  CREATE (:`B``);
