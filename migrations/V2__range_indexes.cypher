// What people filter and sort by; docs/queries.md has a query for each.
CREATE INDEX project_name IF NOT EXISTS FOR (p:Project) ON (p.name);
CREATE INDEX dataset_name IF NOT EXISTS FOR (d:Dataset) ON (d.name);
CREATE INDEX dataset_modality_row_count IF NOT EXISTS FOR (d:Dataset) ON (d.modality, d.row_count);
CREATE INDEX model_name IF NOT EXISTS FOR (m:Model) ON (m.name);
CREATE INDEX experiment_status_started_at IF NOT EXISTS FOR (e:Experiment) ON (e.status, e.started_at);
CREATE INDEX experiment_project_id IF NOT EXISTS FOR (e:Experiment) ON (e.project_id);
CREATE INDEX metric_name_value IF NOT EXISTS FOR (m:Metric) ON (m.name, m.value);
