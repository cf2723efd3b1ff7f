// assume that edition is enterprise

// What every query may rely on. Community Edition has no existence constraints, so there this file is skipped.
CREATE CONSTRAINT project_id_exists IF NOT EXISTS FOR (p:Project) REQUIRE p.id IS NOT NULL;
CREATE CONSTRAINT project_name_exists IF NOT EXISTS FOR (p:Project) REQUIRE p.name IS NOT NULL;
CREATE CONSTRAINT project_created_at_exists IF NOT EXISTS FOR (p:Project) REQUIRE p.created_at IS NOT NULL;
CREATE CONSTRAINT dataset_id_exists IF NOT EXISTS FOR (d:Dataset) REQUIRE d.id IS NOT NULL;
CREATE CONSTRAINT dataset_name_exists IF NOT EXISTS FOR (d:Dataset) REQUIRE d.name IS NOT NULL;
CREATE CONSTRAINT dataset_modality_exists IF NOT EXISTS FOR (d:Dataset) REQUIRE d.modality IS NOT NULL;
CREATE CONSTRAINT dataset_created_at_exists IF NOT EXISTS FOR (d:Dataset) REQUIRE d.created_at IS NOT NULL;
CREATE CONSTRAINT model_id_exists IF NOT EXISTS FOR (m:Model) REQUIRE m.id IS NOT NULL;
CREATE CONSTRAINT model_name_exists IF NOT EXISTS FOR (m:Model) REQUIRE m.name IS NOT NULL;
CREATE CONSTRAINT model_framework_exists IF NOT EXISTS FOR (m:Model) REQUIRE m.framework IS NOT NULL;
CREATE CONSTRAINT model_created_at_exists IF NOT EXISTS FOR (m:Model) REQUIRE m.created_at IS NOT NULL;
CREATE CONSTRAINT experiment_id_exists IF NOT EXISTS FOR (e:Experiment) REQUIRE e.id IS NOT NULL;
CREATE CONSTRAINT experiment_name_exists IF NOT EXISTS FOR (e:Experiment) REQUIRE e.name IS NOT NULL;
CREATE CONSTRAINT experiment_status_exists IF NOT EXISTS FOR (e:Experiment) REQUIRE e.status IS NOT NULL;
CREATE CONSTRAINT experiment_started_at_exists IF NOT EXISTS FOR (e:Experiment) REQUIRE e.started_at IS NOT NULL;
CREATE CONSTRAINT metric_id_exists IF NOT EXISTS FOR (m:Metric) REQUIRE m.id IS NOT NULL;
CREATE CONSTRAINT metric_name_exists IF NOT EXISTS FOR (m:Metric) REQUIRE m.name IS NOT NULL;
CREATE CONSTRAINT metric_value_exists IF NOT EXISTS FOR (m:Metric) REQUIRE m.value IS NOT NULL;
