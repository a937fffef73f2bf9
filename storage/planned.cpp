#include "storage/planned.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

std::vector<Planned> all_of(Cursor row) {
  std::vector<Planned> out;
  while (row.next()) {
    Planned one;
    one.swarm = row.id<SwarmId>(0);
    one.task = row.text(1);
    one.ended = row.integer(2) > 0;
    one.at = row.time(2);
    one.note = packed_json_of(row.bytes(3));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

void put_planned(Database& database, SwarmId swarm, const std::string& task,
                 const json::value& note) {
  database.run(R"sql(INSERT INTO planned (swarm, task, entity, note)
                     SELECT id, ?, entity, ? FROM swarm WHERE id = ?
                     ON CONFLICT (swarm, task) DO UPDATE SET ended = NULL,
                       note = excluded.note)sql",
               task, Blob{packed_column_of(note)}, swarm.value);
}

void end_planned(Database& database, const Planned& planned) {
  database.run("UPDATE planned SET ended = ?, note = ? WHERE swarm = ? AND task = ?", planned.at,
               Blob{packed_column_of(planned.note)}, planned.swarm.value, planned.task);
}

std::vector<Planned> planned_in(Database& database, SwarmId swarm) {
  return all_of(database.query(
      "SELECT swarm, task, ended, note FROM planned WHERE swarm = ? ORDER BY task", swarm.value));
}

std::vector<Planned> ended_plans(Database& database, const std::string& entity,
                                 const std::string& task, int limit) {
  return all_of(database.query(
      R"sql(SELECT swarm, task, ended, note FROM planned INDEXED BY planned_ended
            WHERE entity = ? AND task = ? AND ended IS NOT NULL
            ORDER BY ended DESC, swarm DESC LIMIT ?)sql",
      entity, task, limit));
}

}  // namespace vigil::storage
