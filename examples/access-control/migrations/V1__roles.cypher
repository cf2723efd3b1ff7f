// assume that edition is enterprise

// People and dashboards that only look.
CREATE ROLE ml_reader IF NOT EXISTS;
// Curators of the catalogue.
CREATE ROLE ml_writer IF NOT EXISTS;
// The training pipeline: it records experiments and their metrics.
CREATE ROLE ml_app IF NOT EXISTS;
// graphmigrate itself: migrate, seed, baseline, repair.
CREATE ROLE ml_migrator IF NOT EXISTS;
