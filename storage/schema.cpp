// The tables, as the list of steps that made them. A step that has landed is never edited: a test
// compares checksums.
#include <array>

#include "storage/migration_passages.hpp"
#include "storage/migrations.hpp"
#include "storage/migrations_later.hpp"

namespace vigil::storage {
namespace {

// Times are microseconds since 1970, UTC. AUTOINCREMENT: an id is never given twice, even after
// its row was erased; cursors and the once-only promise rest on that.
constexpr Sql first_shape = R"sql(
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  uid TEXT NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  time INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  taint INTEGER NOT NULL,
  dedup_hash TEXT,
  body BLOB NOT NULL,          -- packed: headers as a JSON array, a newline, the payload
  UNIQUE (source, uid)
) STRICT;
CREATE UNIQUE INDEX event_dedup ON event (source, dedup_hash) WHERE dedup_hash IS NOT NULL;
CREATE INDEX event_kind ON event (source, type);

CREATE TABLE case_ (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT '',
  closed INTEGER NOT NULL DEFAULT 0,
  opened INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  decisions INTEGER NOT NULL DEFAULT 0,
  last_acted INTEGER NOT NULL DEFAULT 0,
  window_start INTEGER NOT NULL DEFAULT 0,
  window_count INTEGER NOT NULL DEFAULT 0,
  UNIQUE (entity, key)
) STRICT;
CREATE INDEX case_entity ON case_ (entity);
CREATE INDEX case_open ON case_ (entity) WHERE closed = 0;

CREATE TABLE wake (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  case_id INTEGER REFERENCES case_ (id),
  kind TEXT NOT NULL,
  events TEXT NOT NULL,        -- JSON array of event ids
  payload TEXT NOT NULL,
  gathering INTEGER NOT NULL,
  created INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX wake_case ON wake (case_id);
CREATE INDEX wake_dead ON wake (id) WHERE dead = 1;

CREATE TABLE decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  entity TEXT NOT NULL,
  case_id INTEGER,
  wake INTEGER,                -- promise 2: a wake is decided once
  wake_kind TEXT NOT NULL,
  events TEXT NOT NULL,
  verdict TEXT NOT NULL,
  rule TEXT NOT NULL,
  why TEXT NOT NULL,
  took INTEGER NOT NULL,
  asked TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX decision_wake ON decision (wake) WHERE wake IS NOT NULL;
CREATE INDEX decision_entity ON decision (entity);
CREATE INDEX decision_case ON decision (case_id) WHERE case_id IS NOT NULL;
CREATE TABLE decision_event (
  event INTEGER NOT NULL,
  decision INTEGER NOT NULL,
  PRIMARY KEY (event, decision)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  decision INTEGER,
  entity TEXT NOT NULL,
  case_id INTEGER,
  kind TEXT NOT NULL,
  sink TEXT NOT NULL,
  payload TEXT NOT NULL,
  sticky_key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'sending', 'delivered', 'failed',
                                       'unknown', 'denied', 'expired', 'superseded')),
  taint INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  created INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires INTEGER,
  settled INTEGER,
  result TEXT NOT NULL,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX action_due ON action (not_before) WHERE state = 'approved';
CREATE INDEX action_expires ON action (expires) WHERE state = 'proposed' AND expires IS NOT NULL;
CREATE INDEX action_state ON action (state);
CREATE INDEX action_entity ON action (entity);
CREATE INDEX action_case ON action (case_id);
CREATE INDEX action_sticky ON action (entity, sink, sticky_key, case_id, state)
  WHERE sticky_key <> '';

CREATE TABLE swarm (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  case_id INTEGER,
  decision INTEGER,
  title TEXT NOT NULL,
  plan BLOB NOT NULL,          -- packed JSON
  state TEXT NOT NULL,
  created INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  report BLOB                  -- packed JSON
) STRICT;
CREATE INDEX swarm_entity ON swarm (entity);
CREATE INDEX swarm_open ON swarm (id) WHERE ended IS NULL;
CREATE INDEX swarm_open_entity ON swarm (entity) WHERE ended IS NULL;
CREATE INDEX swarm_open_case ON swarm (case_id) WHERE ended IS NULL;
CREATE TABLE task (
  swarm INTEGER NOT NULL REFERENCES swarm (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  started INTEGER NOT NULL,
  took INTEGER NOT NULL,
  outcome BLOB,                -- packed JSON
  PRIMARY KEY (swarm, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE learned (
  entity TEXT NOT NULL,
  task TEXT NOT NULL,
  took REAL NOT NULL,
  runs INTEGER NOT NULL,
  PRIMARY KEY (entity, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  case_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  due INTEGER NOT NULL,
  note TEXT NOT NULL,
  UNIQUE (case_id, name)
) STRICT;
CREATE INDEX timer_due ON timer (due);

CREATE TABLE spend (
  day TEXT NOT NULL,
  entity TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (day, entity, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE entity (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  first_seen INTEGER NOT NULL,
  decisions INTEGER NOT NULL DEFAULT 0,
  last_decision INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE episode (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  case_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  data TEXT NOT NULL,
  taint INTEGER NOT NULL
) STRICT;
CREATE INDEX episode_case ON episode (entity, case_id);
CREATE INDEX episode_entity ON episode (entity);
CREATE TABLE fact (
  entity TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  confidence REAL NOT NULL,
  provenance TEXT NOT NULL,
  taint INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (entity, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE preference (
  entity TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  why TEXT NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (entity, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE document (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entity TEXT NOT NULL,
  key TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  taint INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (entity, key)
) STRICT;

-- Full text. The words of the entity's name are indexed with the text, so that a search within one
-- entity does not read the matches of all others.
CREATE VIRTUAL TABLE document_words USING fts5 (
  entity, title, body, content = 'document', content_rowid = 'id',
  tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
  INSERT INTO document_words (rowid, entity, title, body)
  VALUES (new.id, new.entity, new.title, new.body);
END;
CREATE TRIGGER document_changed AFTER UPDATE ON document BEGIN
  INSERT INTO document_words (document_words, rowid, entity, title, body)
  VALUES ('delete', old.id, old.entity, old.title, old.body);
  INSERT INTO document_words (rowid, entity, title, body)
  VALUES (new.id, new.entity, new.title, new.body);
END;
CREATE TRIGGER document_erased AFTER DELETE ON document BEGIN
  INSERT INTO document_words (document_words, rowid, entity, title, body)
  VALUES ('delete', old.id, old.entity, old.title, old.body);
END;
CREATE VIRTUAL TABLE episode_words USING fts5 (
  entity, text, content = 'episode', content_rowid = 'id',
  tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER episode_added AFTER INSERT ON episode BEGIN
  INSERT INTO episode_words (rowid, entity, text) VALUES (new.id, new.entity, new.text);
END;
CREATE TRIGGER episode_erased AFTER DELETE ON episode BEGIN
  INSERT INTO episode_words (episode_words, rowid, entity, text)
  VALUES ('delete', old.id, old.entity, old.text);
END;

PRAGMA application_id = 1447642956; -- 'VIGL'
PRAGMA user_version = 1;
)sql";

// Bytes of what a wake gathers: its bound (those on the disk already count from here on). Taint of
// preferences: what was learned before it was noted may come from anybody (1: untrusted).
constexpr Sql bounds_and_taint = R"sql(
ALTER TABLE wake ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE preference ADD COLUMN taint INTEGER NOT NULL DEFAULT 1;
CREATE INDEX action_entity_state ON action (entity, state);

PRAGMA user_version = 2;
)sql";

// How much a task's time varies, so that a straggler can be told. Results that may be taken again.
constexpr Sql reuse = R"sql(
ALTER TABLE learned ADD COLUMN deviation REAL NOT NULL DEFAULT 0;
CREATE TABLE kept (
  key TEXT PRIMARY KEY,        -- swarm/spawn.hpp, cache_key_of
  result BLOB NOT NULL,        -- packed JSON
  took INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_at ON kept (at);

PRAGMA user_version = 3;
)sql";

// What swarms did, small enough to be read by the thousand. A swarm may run more than once. Learned
// times and kept results know their age and size.
constexpr Sql numbers_of_swarms = R"sql(
ALTER TABLE swarm ADD COLUMN tasks INTEGER;     -- in its plan; NULL: they were not counted then
ALTER TABLE swarm ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
ALTER TABLE swarm ADD COLUMN asked INTEGER;     -- when this run was asked for; NULL: when created
ALTER TABLE swarm ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;  -- compute of that day
CREATE TABLE swarm_numbers (
  entity TEXT NOT NULL,
  ended INTEGER NOT NULL,
  swarm INTEGER NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  run INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  done INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  first_time_right INTEGER NOT NULL,
  reused INTEGER NOT NULL,
  task_sum INTEGER NOT NULL,
  wall INTEGER NOT NULL,
  lower_bound INTEGER NOT NULL,
  wasted INTEGER NOT NULL,
  saved INTEGER NOT NULL,
  PRIMARY KEY (entity, ended, swarm)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX swarm_numbers_swarm ON swarm_numbers (swarm, ended);
ALTER TABLE learned ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX learned_at ON learned (entity, at);
ALTER TABLE kept ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE kept SET bytes = length(result);
DROP INDEX kept_at;
CREATE INDEX kept_at ON kept (at, bytes);

PRAGMA user_version = 4;
)sql";

// What sources that look for news themselves have seen: refs of a repository, items of a list.
constexpr Sql seen_by_sources = R"sql(
CREATE TABLE seen (
  source TEXT NOT NULL,
  item TEXT NOT NULL,
  value TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (source, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_at ON seen (source, at);

PRAGMA user_version = 5;
)sql";

// What only grows is chained (chain.hpp); rows from before have no digest. Who asked for what.
constexpr Sql chains = R"sql(
ALTER TABLE decision ADD COLUMN digest BLOB;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL,
  at INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE chain (
  name TEXT PRIMARY KEY,
  start INTEGER NOT NULL,      -- the first row that is chained and not erased
  digest BLOB NOT NULL         -- of the one before it
) STRICT, WITHOUT ROWID;
INSERT INTO chain VALUES
  ('decision', 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'decision'), 0),
   zeroblob(32)),
  ('audit', 1, zeroblob(32));
CREATE TRIGGER decision_stays BEFORE UPDATE ON decision BEGIN
  SELECT raise(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the audit is append-only');
END;

PRAGMA user_version = 7;
)sql";

// What people answered to proposals, so that the next alike one can be answered for them.
constexpr Sql answered_proposals = R"sql(
CREATE TABLE proposal (
  action INTEGER PRIMARY KEY REFERENCES action (id) ON DELETE CASCADE,
  entity TEXT NOT NULL,
  alike TEXT NOT NULL,
  held TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('', 'approved', 'denied')),
  by TEXT NOT NULL,
  answered INTEGER
) STRICT;
CREATE INDEX proposal_alike ON proposal (entity, alike, action) WHERE answer <> '';

PRAGMA user_version = 8;
)sql";

constexpr std::array all = {Migration{1, first_shape},     Migration{2, bounds_and_taint},
                            Migration{3, reuse},           Migration{4, numbers_of_swarms},
                            Migration{5, seen_by_sources}, Migration{6, passages_schema},
                            Migration{7, chains},          Migration{8, answered_proposals},
                            Migration{9, fading_facts},    Migration{10, reservations},
                            Migration{11, planned_plans}};

}  // namespace

std::span<const Migration> migrations() { return all; }

}  // namespace vigil::storage
