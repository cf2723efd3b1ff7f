// assume that edition is enterprise

GRANT ACCESS ON HOME DATABASE TO ml_writer;
GRANT MATCH {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT MATCH {*} ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
// A label that a transaction gives to a node is a right of its own.
GRANT CREATE ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT DELETE ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT SET LABEL Project, Dataset, Model, Experiment, Metric ON HOME GRAPH TO ml_writer;
GRANT SET PROPERTY {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT CREATE ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
GRANT DELETE ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
