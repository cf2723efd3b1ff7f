// DESCRIPTION
//
// Write Cypher statements, each ended by a semicolon, for example:
//
//   CREATE CONSTRAINT user_id IF NOT EXISTS
//   FOR (user:User) REQUIRE user.id IS UNIQUE;
//
//   MATCH (user:User) WHERE user.active IS NULL
//   SET user.active = true;
//
// A comment line of its own before the first statement can name a condition: "assert that edition is enterprise" (else
// the run fails), or "assume that version is 5.26" (else this file is skipped).
//
// 'graphmigrate plan' shows what would run, 'graphmigrate migrate' runs it. Once it is applied, leave this file as it is.
