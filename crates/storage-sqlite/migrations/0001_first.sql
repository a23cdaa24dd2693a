-- Format version 1. Integer keys stand for 32-byte ids in `feed` and `refs`: a leaf then costs 4 bytes there, not 64.

-- One row: whose store this is. `head` is kept only when leaves are dropped or erased; otherwise the last position of `feed` tells.
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id BLOB NOT NULL,
  head INTEGER NOT NULL
) STRICT;

CREATE TABLE incarnations (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  began INTEGER NOT NULL
) STRICT;

CREATE TABLE directory (
  number INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;

-- Never deleted, and changed only where damage is mended, so that reading them in a second statement sees the same state.
-- What a mending sets is not declared NOT NULL, for the reason given at `records`.
CREATE TABLE commits (
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  author BLOB,
  incarnation BLOB,
  seq INTEGER,
  encoded BLOB
) STRICT;
-- The last one of an author is the one with its highest key.
CREATE INDEX commits_by_author ON commits (author);
-- Of two with one place, the author signed both: evidence.
CREATE INDEX commits_by_place ON commits (incarnation, seq);

-- A table with a rowid: rows are long and ids are random, so ordering the rows by id would rewrite a page for each.
-- What an update sets is not declared NOT NULL (reading checks it): such a constraint makes SQLite copy every page that a
-- multi-row statement changes, in case the statement must be undone alone. Here only whole transactions are undone.
-- AUTOINCREMENT: a key is never used again. Where rows were lost, what is left of them in `feed` must not become another
-- record's.
CREATE TABLE records (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  birth BLOB NOT NULL,
  natural_key BLOB NOT NULL,
  scope BLOB,
  -- 0 present, 1 hidden (since = feed position), 2 stub (since = milliseconds), 3 erased
  state INTEGER,
  since INTEGER,
  stub BLOB,
  held BLOB,
  admitted BLOB,
  leaves INTEGER,
  waiting INTEGER,
  -- of leaves that could not be judged: by which program, and whether it declares otherwise; null: there are none
  unjudged BLOB,
  signal BLOB,
  -- over all columns but the key: a row that rots, or that somebody edits by hand, does not fit it
  sum BLOB,
  -- last, because it may be long
  view BLOB
) STRICT;
CREATE INDEX records_by_kind ON records (kind, id);
CREATE INDEX records_away ON records (state, since) WHERE state > 0;
CREATE INDEX records_waiting ON records (id) WHERE waiting = 1;
CREATE INDEX records_unjudged ON records (id) WHERE unjudged IS NOT NULL;

CREATE TABLE feed (
  position INTEGER PRIMARY KEY,
  -- 0 leaf, 1 grant, 2 rescope: what goes with a record comes first, so that one range of the index has all of it
  entry INTEGER NOT NULL,
  record INTEGER NOT NULL,
  commit_key INTEGER,
  kind_version INTEGER NOT NULL,
  status INTEGER NOT NULL,
  hash BLOB NOT NULL,
  origin BLOB,
  -- of a leaf: by which declaration of its kind's version it is to be judged; null: by the program's own
  declared BLOB,
  -- of a rescope: the added, then the removed
  seats BLOB NOT NULL,
  -- or the grant
  change BLOB NOT NULL,
  CHECK (entry > 0 OR commit_key IS NOT NULL)
) STRICT;
CREATE INDEX feed_by_record ON feed (record, entry);

CREATE TABLE refs (
  target BLOB NOT NULL,
  source INTEGER NOT NULL,
  PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX refs_by_source ON refs (source);

CREATE TABLE conflicts (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  anchors BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conflict_anchors (
  anchor BLOB NOT NULL,
  conflict BLOB NOT NULL,
  PRIMARY KEY (anchor, conflict)
) STRICT, WITHOUT ROWID;
CREATE INDEX conflict_anchors_by_conflict ON conflict_anchors (conflict);

CREATE TABLE cursors (
  store BLOB PRIMARY KEY NOT NULL,
  incarnation BLOB NOT NULL,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  record BLOB,
  sender BLOB,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

-- A table with a rowid: statements are up to some KiB, and hashes are random.
CREATE TABLE statements (
  number INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  author BLOB NOT NULL,
  seat BLOB NOT NULL,
  subject BLOB NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX statements_by_subject ON statements (subject);

-- Appended in the order of its key: one page is written, whatever its length.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  hash BLOB NOT NULL,
  encoded BLOB NOT NULL
) STRICT;

CREATE TABLE stranded (
  leaf BLOB PRIMARY KEY NOT NULL,
  record BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  -- 0 open, 1 made again (as `again`), 2 discarded
  state INTEGER NOT NULL,
  again BLOB,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stranded_open ON stranded (at_ms) WHERE state = 0;
CREATE INDEX stranded_by_record ON stranded (record);

-- Seats of which nothing new is taken.
CREATE TABLE declined (
  seat BLOB PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
  id BLOB PRIMARY KEY NOT NULL,
  answer BLOB NOT NULL
) STRICT, WITHOUT ROWID;
