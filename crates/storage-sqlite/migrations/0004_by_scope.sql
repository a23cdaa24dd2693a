-- Format version 4: the records of one scope are found without reading the others, when two nodes hold it differently.
CREATE INDEX records_by_scope ON records (scope);
