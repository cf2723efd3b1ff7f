// assume that edition is enterprise

// A right to create relationships holds only for types that exist, and before the first load these do not. (The labels and
// property names do: the model's migrations made constraints on them.)
CALL db.createRelationshipType('HAS');
CALL db.createRelationshipType('RUN');
CALL db.createRelationshipType('TRAINED_ON');
