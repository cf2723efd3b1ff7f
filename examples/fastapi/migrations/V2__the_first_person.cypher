// CREATE, not MERGE: exactly once, however many workers start.
CREATE (:Person {id: 'root', name: 'Root'});
