// Takes back: DESCRIPTION
//
// Write statements that take back what the migration wrote, for example:
//
//   MATCH (user:User) WHERE user.active
//   REMOVE user.active;
//
// Its constraints and indexes need no statement here: 'graphmigrate undo' takes them back as they were recorded. Where this
// file has a CREATE or DROP of one, it is the whole way back. 'graphmigrate plan --undo' shows what would run.
