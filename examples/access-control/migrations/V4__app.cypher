// assume that edition is enterprise

GRANT ACCESS ON HOME DATABASE TO ml_app;
GRANT MATCH {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_app;
GRANT MATCH {*} ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_app;
// Who owns a project is none of the pipeline's business.
DENY READ {owner} ON HOME GRAPH NODES Project TO ml_app;
// No SET LABEL: it holds for every node that the role sees, and a project made an experiment could be changed.
GRANT CREATE ON HOME GRAPH NODES Experiment, Metric TO ml_app;
GRANT SET PROPERTY {*} ON HOME GRAPH NODES Experiment, Metric TO ml_app;
// Between any nodes that the role sees: the right cannot be tied to labels.
GRANT CREATE ON HOME GRAPH RELATIONSHIPS HAS, RUN TO ml_app;
