#pragma once
// What is kept of a watched calendar between looks, as rows of `seen`: its form, how far it was
// read, its resources ("d:" and their address), the occurrences ahead ("o:" and who they are), and
// what was told ("t:").
#include <functional>
#include <memory>
#include <string>

#include "daemon/ingress/calendar_course.hpp"
#include "daemon/ingress/calendar_fetch.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

struct Kept {
  bool seen_before = false;  // the form in the database is ours
  Resources resources;       // without their texts
  Occurrences occurrences;
  TellingsDone done;
  TimePoint known_until{};
};

// Which calendar it is: of another one, nothing is known.
std::string form_of(const config::Calendar& settings);
// Size and time of a calendar file, or of those in a folder: other when one was written.
std::string stamp_of(const std::string& path);
Kept load_kept(storage::Seen& seen, const std::string& source, const std::string& form);
// All texts of a calendar for calendar.look: what was kept, with what is new.
json::array texts_of(storage::Seen& seen, const std::string& source, const Fetched& fetched);

// Writes how a look changed what is kept. Runs on the writer's thread.
std::function<void(storage::Stores&)> keeping(const std::string& source, const std::string& form,
                                              const Kept& before, std::shared_ptr<const Kept> after,
                                              const Fetched& fetched, TimePoint now);
std::function<void(storage::Stores&)> keeping(const std::string& source, const TellingsDone& told,
                                              TimePoint now);

}  // namespace vigil::ingress
