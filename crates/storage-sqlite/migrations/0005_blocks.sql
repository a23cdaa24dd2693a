-- Format version 5: columns in blocks as long as a page, and the orders that people page through. All is listed anew.
DELETE FROM listing;
DELETE FROM listed_columns;
DROP TABLE listed_cells;

-- A block: cells of a column, ascending by record. `at` is the column's number, then 40 bits: the key of the first record, or one
-- before it; of the first block of a column 0.
CREATE TABLE listed_cells (
  at INTEGER PRIMARY KEY,
  cells BLOB NOT NULL
) STRICT;

-- The records of a column in its order. `place`: what a record is sorted by, a zero byte, and its key in 8 bytes.
CREATE TABLE listed_order (
  number INTEGER NOT NULL,
  place BLOB NOT NULL,
  PRIMARY KEY (number, place)
) STRICT, WITHOUT ROWID;
