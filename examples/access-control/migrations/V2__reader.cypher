// assume that edition is enterprise

// By label: the history of graphmigrate (labels __GraphMigrate…) and whatever else is in the graph stays unseen.
GRANT ACCESS ON HOME DATABASE TO ml_reader;
GRANT MATCH {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_reader;
GRANT MATCH {*} ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_reader;
