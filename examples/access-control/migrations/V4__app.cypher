// assume that edition is enterprise

GRANT ACCESS ON HOME DATABASE TO ml_app;
GRANT MATCH {*} ON HOME GRAPH NODES Project, Dataset, Model, Experiment, Metric TO ml_app;
GRANT MATCH {*} ON HOME GRAPH RELATIONSHIPS HAS, RUN, TRAINED_ON TO ml_app;
// Who owns a project is none of the pipeline's business.
DENY READ {owner} ON HOME GRAPH NODES Project TO ml_app;
GRANT CREATE ON HOME GRAPH NODES Experiment, Metric TO ml_app;
GRANT SET LABEL Experiment, Metric ON HOME GRAPH TO ml_app;
GRANT SET PROPERTY {*} ON HOME GRAPH NODES Experiment, Metric TO ml_app;
GRANT CREATE ON HOME GRAPH RELATIONSHIPS HAS, RUN TO ml_app;
