CREATE (:A {x: $x, y: $`a b`, z: $x, w: '$no', `$no`: 1}); // $no
MATCH (n) WITH n LIMIT $ batch DELETE n;
CREATE (a$b:A);
