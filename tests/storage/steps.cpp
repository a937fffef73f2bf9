#include "steps.hpp"

#include <functional>
#include <random>

#include "storage/database.hpp"

namespace vigil::storage {

std::int64_t one_step(Stores& s, const std::string& uid) {
  auto event = some_event(uid);
  std::mt19937 random(static_cast<unsigned>(std::hash<std::string>{}(uid)));
  const auto words = random() % 400;
  for (unsigned word = 0; word < words; ++word) event.data += fmt::format("{:x}", random());
  const auto id = s.journal.append(event).id;
  const auto of = s.cases.open("ops", std::to_string(id.value % 5), at(1));
  Wake wake;
  wake.case_id = of.id;
  wake.kind = "event";
  wake.events = {id};
  Entry entry;
  entry.entity = "ops";
  entry.case_id = of.id;
  entry.wake = s.wakes.add(wake);
  entry.wake_kind = "event";
  entry.events = {id};
  s.wakes.erase(entry.wake);
  Action action;
  action.key = uid;
  action.decision = s.ledger.append(entry);
  action.sink = "chat";
  action.state = "approved";
  s.outbox.add(action);
  s.memory.put(Document{"ops", "last", "Last", "step " + uid, Taint::trusted, at(1)});
  s.cursors.set("steps", s.cursors.get("steps") + 1);
  return s.cursors.get("steps");
}

std::string judge(const std::string& dir, std::int64_t acknowledged) {
  {
    auto opened = Writer::open({.state_dir = dir, .free_bytes_min = 0, .ballast_bytes = 0});
    if (!opened) return "it does not open: " + opened.error().message;
    auto reader = Stores::open_reader(dir);
    if (!reader) return reader.error().message;
    const auto steps = (*reader)->cursors.get("steps");
    auto& database = (*reader)->database();
    if (steps < acknowledged) {
      return fmt::format("{} steps of {} acknowledged ones", steps, acknowledged);
    }
    if (database.number("SELECT count(*) FROM event") != steps ||
        database.number("SELECT count(*) FROM decision") != steps ||
        database.number("SELECT count(*) FROM action") != steps ||
        database.number("SELECT count(*) FROM wake") != 0) {
      return "a step is there in part";
    }
    if (steps > 0 && (*reader)->memory.search("ops", "step", 5).size() != 1) {
      return "the full-text index is not of the same moment";
    }
  }
  const auto verified = verify(dir + "/vigil.db");
  return verified ? "" : verified.error().message;
}

}  // namespace vigil::storage
