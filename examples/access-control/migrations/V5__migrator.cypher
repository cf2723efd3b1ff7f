// assume that edition is enterprise

GRANT ACCESS ON HOME DATABASE TO ml_migrator;
// Data migrations and seeds, and the history.
GRANT MATCH {*} ON HOME GRAPH TO ml_migrator;
GRANT WRITE ON HOME GRAPH TO ml_migrator;
// Labels, types and property names that no node has had yet.
GRANT NAME MANAGEMENT ON HOME DATABASE TO ml_migrator;
GRANT CONSTRAINT MANAGEMENT ON HOME DATABASE TO ml_migrator;
GRANT INDEX MANAGEMENT ON HOME DATABASE TO ml_migrator;
// Where several users migrate one database: whoever takes over ends what a dead run of another user left open.
GRANT SHOW TRANSACTION (*) ON HOME DATABASE TO ml_migrator;
GRANT TERMINATE TRANSACTION (*) ON HOME DATABASE TO ml_migrator;
// For `graphmigrate doctor`: where the server listens, and whether it encrypts.
GRANT SHOW SETTING server.bolt.*, server.http.*, dbms.security.auth_enabled ON DBMS TO ml_migrator;
