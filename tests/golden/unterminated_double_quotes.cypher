CREATE (:A {text: "\"});
