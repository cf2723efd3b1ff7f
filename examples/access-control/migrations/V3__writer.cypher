// assume that edition is enterprise

GRANT ACCESS ON HOME DATABASE TO ml_writer;
GRANT MATCH {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT MATCH {*} ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
// CREATE and MERGE give a new node its label; SET LABEL is for nodes that are there, whatever they are.
GRANT CREATE ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT DELETE ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT SET PROPERTY {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_writer;
GRANT CREATE ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
GRANT DELETE ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_writer;
