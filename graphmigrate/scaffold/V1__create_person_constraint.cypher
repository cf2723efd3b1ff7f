// Every person has an id of its own. A constraint also brings the index that MERGE and MATCH by id use.
CREATE CONSTRAINT person_id IF NOT EXISTS
FOR (person:Person) REQUIRE person.id IS UNIQUE;
