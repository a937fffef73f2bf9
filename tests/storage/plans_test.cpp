// Every statement of the folder is asked for its plan: none reads a growing table from end to end.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "place.hpp"
#include "tests/support/places.hpp"

namespace vigil::storage {
namespace {

struct Found {
  std::string file;
  std::string sql;
};

std::vector<Found> statements() {
  std::vector<Found> out;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() + "/storage")) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() != ".cpp" || name == "schema.cpp") continue;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    const auto all = text.str();
    for (std::size_t from = 0; (from = all.find("R\"sql(", from)) != std::string::npos;) {
      from += 6;
      const auto end = all.find(")sql\"", from);
      out.push_back({name, all.substr(from, end - from)});
      from = end;
    }
    for (const char* verb : {"\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "}) {
      for (std::size_t from = 0; (from = all.find(verb, from)) != std::string::npos;) {
        ++from;
        const auto end = all.find('"', from);
        out.push_back({name, all.substr(from, end - from)});
        from = end;
      }
    }
  }
  std::erase_if(out, [](const Found& one) { return one.sql.starts_with("PRAGMA"); });
  return out;
}

std::vector<std::string> plan_of(sqlite3* handle, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const auto text = "EXPLAIN QUERY PLAN " + sql;
  REQUIRE_MESSAGE(sqlite3_prepare_v2(handle, text.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                  sqlite3_errmsg(handle) << ": " << sql);
  std::vector<std::string> out;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
  }
  sqlite3_finalize(statement);
  return out;
}

// What is read whole on purpose, and why that is little or rare.
bool is_allowed(const std::string& sql, const std::string& step) {
  const std::pair<const char*, const char*> known[] = {
      {"SELECT count(*) FROM wake WHERE dead = 0", "SCAN wake"},         // waiting wakes alone
      {"INDEXED BY wake_dead WHERE dead = 1", "USING INDEX wake_dead"},  // dead ones alone
      {"SELECT events FROM wake WHERE kind = 'event'", "SCAN wake"},     // the same, for retention
      {"FROM kept INDEXED BY kept_at", "SCAN kept"},                     // bounded, for retention
      {"FROM swarm INDEXED BY swarm_reserved", "SCAN swarm"},            // open ones alone
      {"SELECT count(*) FROM case_", "SCAN case_"},                      // status, on request
      {"SELECT count(*) FROM event", "SCAN event"},                      // verify, no daemon
      {"SELECT count(*) FROM decision", "SCAN decision"},                // verify, no daemon
      {"FROM event ORDER BY id DESC LIMIT 1", "SCAN event"},             // the newest
      {"FROM decision ORDER BY id DESC LIMIT 1", "SCAN decision"},       // the newest
      {"FROM audit ORDER BY id DESC LIMIT 1", "SCAN audit"},             // the newest
      {"FROM decision ORDER BY id", "SCAN decision"},                    // to verify, on request
      {"FROM audit ORDER BY id", "SCAN audit"},                          // to verify, on request
      {"FROM sqlite_sequence", "SCAN sqlite_sequence"},                  // a row per table
      {"FROM sqlite_schema", "SCAN sqlite_"},
      {"WHERE id NOT IN (SELECT document FROM passage)", "SCAN document"},  // at an opening
      {"FROM passage_total", "SCAN passage_total"},                         // one row
      {"SELECT key, title, updated FROM document", "USE TEMP B-TREE"},      // of one entity, asked
      {"FROM term WHERE term >= ? AND term < ? ORDER BY", "USE TEMP B-TREE"},  // alike words
      {"FROM entity ORDER BY name", "SCAN entity"},                            // a row per entity
      {"_words MATCH ?", "USE TEMP B-TREE FOR ORDER BY"},  // the best of what matched
      {"_words MATCH ?", "VIRTUAL TABLE INDEX"},           // the full-text index itself
  };
  return std::ranges::any_of(known, [&](const auto& one) {
    return sql.find(one.first) != std::string::npos && step.find(one.second) != std::string::npos;
  });
}

bool is_bounded(const std::string& sql, const std::string& step) {
  if (step.find("USING INDEX swarm_open") != std::string::npos) return true;  // only open ones
  const bool in_order = step.find("USING INDEX") != std::string::npos ||
                        step.find("USING COVERING INDEX") != std::string::npos;
  return in_order && sql.find("LIMIT") != std::string::npos;
}

TEST_CASE("every statement finds its rows by an index") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores&) {});
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open_v2(dir.file("vigil.db").c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) ==
          SQLITE_OK);
  const auto all = statements();
  CHECK(all.size() > 90);
  for (const auto& [file, sql] : all) {
    for (const auto& step : plan_of(handle, sql)) {
      INFO(file << ": " << sql << "\n  " << step);
      if (is_allowed(sql, step)) continue;
      const bool scans = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
      CHECK((!scans || is_bounded(sql, step)));
      CHECK_FALSE(step.starts_with("USE TEMP B-TREE"));
    }
  }
  sqlite3_close(handle);
}

}  // namespace
}  // namespace vigil::storage
