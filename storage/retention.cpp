#include "storage/retention.hpp"

#include <limits>
#include <set>
#include <vector>

#include "storage/chain.hpp"
#include "storage/columns.hpp"
#include "storage/database.hpp"
#include "storage/swarms.hpp"

namespace vigil::storage {
namespace {

constexpr int looked_at_once = 256;

struct Old {
  std::int64_t id = 0;
  std::string events;  // of a decision
};

struct Page {
  std::vector<Old> old;
  std::int64_t last = 0;
  bool end = false;  // what follows is newer, or nothing follows
};

// Ids grow with time, so a walk ends at the first row that is not old.
Page page_of(Cursor row, TimePoint before) {
  Page page;
  int seen = 0;
  while (row.next()) {
    ++seen;
    if (row.time(1) >= before) {
      page.end = true;
      return page;
    }
    page.last = row.integer(0);
    page.old.push_back({page.last, row.text(2)});
  }
  page.end = seen < looked_at_once;
  return page;
}

std::set<std::int64_t> events_of_wakes(Database& database) {
  std::set<std::int64_t> out;
  auto row = database.query("SELECT events FROM wake WHERE kind = 'event'");
  while (row.next()) {
    for (const auto event : events_of(row.bytes(0))) out.insert(event.value);
  }
  return out;
}

int erase_events(Database& database, const Page& page) {
  const auto routed = database.number("SELECT value FROM cursor WHERE name = 'router'");
  const auto wanted = events_of_wakes(database);
  int erased = 0;
  for (const auto& old : page.old) {
    if (old.id > routed || wanted.contains(old.id)) continue;
    erased += database.run("DELETE FROM event WHERE id = ?", old.id);
  }
  return erased;
}

int erase_decisions(Database& database, const Page& page) {
  int erased = 0;
  if (!page.old.empty()) move_start(database, Chain::ledger, page.last);
  for (const auto& old : page.old) {
    for (const auto event : events_of(old.events)) {
      database.run("DELETE FROM decision_event WHERE event = ? AND decision = ?", event.value,
                   old.id);
    }
    erased += database.run("DELETE FROM decision WHERE id = ?", old.id);
  }
  return erased;
}

int erase_actions(Database& database, const Page& page, TimePoint before) {
  int erased = 0;
  for (const auto& old : page.old) {
    erased += database.run(
        R"sql(DELETE FROM action AS a WHERE id = ? AND settled < ?
                AND NOT EXISTS (SELECT 1 FROM wake w WHERE w.case_id = a.case_id)
                AND (sticky_key = '' OR state <> 'delivered'
                     OR EXISTS (SELECT 1 FROM action n
                                WHERE n.entity = a.entity AND n.sink = a.sink
                                  AND n.sticky_key = a.sticky_key AND n.sticky_key <> ''
                                  AND n.case_id IS a.case_id AND n.state = 'delivered'
                                  AND n.id > a.id)))sql",
        old.id, before);
  }
  return erased;
}

int erase_swarms(Database& database, const Page& page, TimePoint before) {
  int erased = 0;
  for (const auto& old : page.old) {
    erased += database.run(
        R"sql(DELETE FROM swarm AS s WHERE id = ? AND ended < ?
                AND NOT EXISTS (SELECT 1 FROM wake w WHERE w.case_id = s.case_id))sql",
        old.id, before);
  }
  return erased;
}

int erase_numbers(Database& database, const Page& page) {
  int erased = 0;
  for (const auto& old : page.old) {
    erased += database.run("DELETE FROM swarm_numbers WHERE swarm = ?", old.id);
    database.run("DELETE FROM planned WHERE swarm = ?", old.id);
  }
  return erased;
}

int erase_episodes(Database& database, const Page& page) {
  int erased = 0;
  for (const auto& old : page.old) {
    erased += database.run("DELETE FROM episode WHERE id = ?", old.id);
  }
  return erased;
}

std::optional<TimePoint> limit_of(Shelf shelf, const Writer::Retention& retention) {
  switch (shelf) {
    case Shelf::events:
      return retention.events_before;
    case Shelf::decisions:
    case Shelf::actions:
    case Shelf::numbers:
    case Shelf::spend:
      return retention.ledger_before;
    case Shelf::swarms:
      return retention.swarms_before;
    case Shelf::episodes:
      return retention.episodes_before;
    case Shelf::results:
    case Shelf::learned:
      return std::nullopt;  // bounded in another way, too
  }
  return std::nullopt;
}

Page oldest_of(Database& database, Shelf shelf, std::int64_t after, TimePoint before) {
  switch (shelf) {
    case Shelf::events:
      return page_of(database.query(R"sql(SELECT id, received_at, '' FROM event WHERE id > ?
                                          ORDER BY id LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::decisions:
      return page_of(database.query(R"sql(SELECT id, at, events FROM decision WHERE id > ?
                                          ORDER BY id LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::actions:
      return page_of(database.query(R"sql(SELECT id, created, '' FROM action WHERE id > ?
                                          ORDER BY id LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::swarms:
      return page_of(database.query(R"sql(SELECT id, created, '' FROM swarm WHERE id > ?
                                          ORDER BY id LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::episodes:
      return page_of(database.query(R"sql(SELECT id, at, '' FROM episode WHERE id > ?
                                          ORDER BY id LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::numbers:
      return page_of(database.query(R"sql(SELECT swarm, ended, '' FROM swarm_numbers
                                          WHERE swarm > ? ORDER BY swarm LIMIT ?)sql",
                                    after, looked_at_once),
                     before);
    case Shelf::spend:
    case Shelf::results:
    case Shelf::learned:
      break;
  }
  return {};
}

int erase(Database& database, Shelf shelf, const Page& page, TimePoint before) {
  switch (shelf) {
    case Shelf::events:
      return erase_events(database, page);
    case Shelf::decisions:
      return erase_decisions(database, page);
    case Shelf::actions:
      return erase_actions(database, page, before);
    case Shelf::swarms:
      return erase_swarms(database, page, before);
    case Shelf::episodes:
      return erase_episodes(database, page);
    case Shelf::numbers:
      return erase_numbers(database, page);
    case Shelf::spend:
    case Shelf::results:
    case Shelf::learned:
      break;
  }
  return 0;
}

// True: there may be more.
bool erase_results(Database& database, const Writer::Retention& retention, Walk& walk) {
  const auto before = retention.results_before.value_or(TimePoint::min());
  const auto bytes = retention.results_bytes_max.value_or(std::numeric_limits<std::int64_t>::max());
  const int erased = Swarms(database).erase_kept(before, bytes, looked_at_once);
  walk.erased += erased;
  return erased == looked_at_once;
}

// One entity a step.
bool erase_learned(Database& database, Walk& walk) {
  std::string entity;
  {
    auto row = database.query("SELECT entity FROM learned WHERE entity > ? ORDER BY entity LIMIT 1",
                              walk.name);
    if (!row.next()) return false;
    entity = row.text(0);
  }
  walk.erased += Swarms(database).erase_learned(entity, learned_names_max);
  walk.name = std::move(entity);
  return true;
}

}  // namespace

Walk step(Database& database, const Writer::Retention& retention, Walk walk) {
  const auto go_on = [&walk] {
    walk.after = 0;
    walk.done = walk.shelf == last_shelf;
    if (!walk.done) walk.shelf = static_cast<Shelf>(static_cast<int>(walk.shelf) + 1);
  };
  if (walk.shelf == Shelf::results && erase_results(database, retention, walk)) return walk;
  if (walk.shelf == Shelf::learned && erase_learned(database, walk)) return walk;
  const auto before = limit_of(walk.shelf, retention);
  if (!before) {
    go_on();
    return walk;
  }
  if (walk.shelf == Shelf::spend) {
    const auto day = to_rfc3339(*before).substr(0, 10);
    walk.erased += database.run("DELETE FROM spend WHERE day < ?", day);
    go_on();
    return walk;
  }
  const auto page = oldest_of(database, walk.shelf, walk.after, *before);
  walk.erased += erase(database, walk.shelf, page, *before);
  walk.after = page.last;
  if (page.end) go_on();
  return walk;
}

}  // namespace vigil::storage
