-- Format version 2.
--
-- Of leaves that could not be judged: by which program, and whether it declares otherwise; null: there are none. A row's sum is
-- over it only where there are some, so that the rows of version 1 fit theirs.
ALTER TABLE records ADD COLUMN unjudged BLOB;
CREATE INDEX records_unjudged ON records (id) WHERE unjudged IS NOT NULL;

-- What is counted over records, by the scope that they name (an empty one: all that have no row of their own).
-- A store of version 1 has no mark: it is counted once more, and then this is written.
CREATE TABLE scopes (
  scope BLOB PRIMARY KEY NOT NULL,
  records INTEGER NOT NULL,
  leaves INTEGER NOT NULL,
  held BLOB NOT NULL,
  admitted BLOB NOT NULL,
  hidden INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: by it the others are believed, all or none.
CREATE TABLE scopes_mark (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  head INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;
