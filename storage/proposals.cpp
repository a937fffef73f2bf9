#include "storage/proposals.hpp"

#include "storage/database.hpp"

namespace vigil::storage {

void Proposals::add(const Proposal& proposal) {
  database_.run(R"sql(INSERT INTO proposal (action, entity, alike, held, answer, by)
                      VALUES (?, ?, ?, ?, '', ''))sql",
                proposal.action.value, proposal.entity, proposal.alike, proposal.held);
}

std::optional<Proposal> Proposals::find(ActionId action) {
  auto row = database_.query(
      "SELECT action, entity, alike, held, answer, by FROM proposal WHERE action = ?",
      action.value);
  if (!row.next()) return std::nullopt;
  return Proposal{row.id<ActionId>(0), row.text(1), row.text(2),
                  row.text(3),         row.text(4), row.text(5)};
}

bool Proposals::answer(ActionId action, std::string_view answer, const std::string& by,
                       TimePoint now) {
  return database_.run("UPDATE proposal SET answer = ?, by = ?, answered = ? WHERE action = ?",
                       answer, by, now, action.value) > 0;
}

std::vector<std::string> Proposals::answers(const std::string& entity, const std::string& alike,
                                            int limit) {
  auto row = database_.query(
      R"sql(SELECT answer FROM proposal WHERE entity = ? AND alike = ? AND answer <> ''
            ORDER BY action DESC LIMIT ?)sql",
      entity, alike, limit);
  std::vector<std::string> out;
  while (row.next()) out.push_back(row.text(0));
  return out;
}

}  // namespace vigil::storage
