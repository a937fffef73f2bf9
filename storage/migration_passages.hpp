#pragma once
// The schema of passages: documents in pieces a person can read at once, and how they are found.
#include "storage/database.hpp"

namespace vigil::storage {

// `terms` are the words of a passage as storage/terms.hpp makes them, in their order: `-` for one
// that says nothing, `~part` for a part of the compound before it. FTS5 reads the same column, so
// what is indexed is what is ranked. Documents of before are read in when the database is opened.
constexpr Sql passages_schema = R"sql(
DROP TRIGGER document_added;
DROP TRIGGER document_changed;
DROP TRIGGER document_erased;
DROP TABLE document_words;
CREATE TABLE passage (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  entity TEXT NOT NULL,
  at INTEGER NOT NULL,        -- where it begins in the document's body
  bytes INTEGER NOT NULL,
  place TEXT NOT NULL,        -- page 3, line 14
  heading TEXT NOT NULL,      -- those it stands under
  language INTEGER NOT NULL,  -- 0 other, 1 English, 2 German
  words INTEGER NOT NULL,
  heads TEXT NOT NULL,
  terms TEXT NOT NULL
) STRICT;
CREATE INDEX passage_document ON passage (document);
CREATE TABLE term (
  term TEXT PRIMARY KEY,
  passages INTEGER NOT NULL,  -- that hold it
  whole INTEGER NOT NULL      -- that hold it as a word, not as a part of one
) STRICT, WITHOUT ROWID;
CREATE TABLE passage_total (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  passages INTEGER NOT NULL,
  words INTEGER NOT NULL
) STRICT;
INSERT INTO passage_total VALUES (1, 0, 0);
CREATE VIRTUAL TABLE passage_words USING fts5 (
  entity, heads, terms, content = 'passage', content_rowid = 'id',
  tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER passage_added AFTER INSERT ON passage BEGIN
  INSERT INTO passage_words (rowid, entity, heads, terms)
  VALUES (new.id, new.entity, new.heads, new.terms);
  UPDATE passage_total SET passages = passages + 1, words = words + new.words;
END;
CREATE TRIGGER passage_erased AFTER DELETE ON passage BEGIN
  INSERT INTO passage_words (passage_words, rowid, entity, heads, terms)
  VALUES ('delete', old.id, old.entity, old.heads, old.terms);
  UPDATE passage_total SET passages = passages - 1, words = words - old.words;
END;

PRAGMA user_version = 6;
)sql";

}  // namespace vigil::storage
