-- Format version 3: what records are found, sorted and counted by, without reading them.
--
-- A column: the cells of one field of the records of one kind that one seat owns. It stays when it has become empty.
CREATE TABLE listed_columns (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  seat BLOB NOT NULL,
  field TEXT NOT NULL,
  UNIQUE (kind, seat, field)
) STRICT;

-- Cells of a column, ascending by record: those of the records of which the keys differ in the last six bits alone. `at` is the
-- column's number, then 40 bits of the others. So a row that changes costs a few hundred bytes, and a column is one range.
CREATE TABLE listed_cells (
  at INTEGER PRIMARY KEY,
  cells BLOB
) STRICT;

-- One row: by what records are listed, and after which record it goes on while not all are.
CREATE TABLE listing (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  stamp BLOB NOT NULL,
  reached BLOB NOT NULL,
  done INTEGER NOT NULL,
  is_whole INTEGER NOT NULL
) STRICT;
