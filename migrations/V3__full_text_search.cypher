CREATE FULLTEXT INDEX catalog_text IF NOT EXISTS
FOR (n:Project|Dataset|Model|Experiment)
ON EACH [n.name, n.description];
