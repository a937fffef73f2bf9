#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/validate_entity.hpp"
#include "config/words.hpp"

namespace vigil::config {
namespace {

constexpr std::array<std::string_view, 5> known_suffixes = {"md", "txt", "html", "htm", "pdf"};

void check_calendar(const std::string& key, const Calendar& calendar, Violations& found) {
  const bool file = calendar.form == CalendarForm::file;
  if (file && calendar.path.empty()) found.add(key, "needs a path, or a form that has a url");
  if (!file && calendar.url.empty()) found.add(key, "needs a url");
  if (file && !calendar.url.empty()) {
    found.add(key + ".url", "is for form = \"http\" or \"caldav\", and this is \"file\"",
              key + ".form");
  }
  if (!file && !calendar.path.empty()) {
    found.add(key + ".path", "is for form = \"file\"", key + ".form");
  }
  if (calendar.password.has_value() == calendar.user.empty()) {
    found.add(key + (calendar.password ? ".password" : ".user"),
              "user and password go together: give both, or neither");
  }
  const bool here = calendar.url.starts_with("http://127.") ||
                    calendar.url.starts_with("http://localhost") ||
                    calendar.url.starts_with("http://[::1]");
  if (calendar.password && calendar.url.starts_with("http://") && !here) {
    found.add(key + ".password", "would travel in the open: fetch it by https", key + ".url");
  }
  for (std::size_t i = 0; i < calendar.soon.size(); ++i) {
    const auto before = parse_duration(calendar.soon[i]);
    const auto at = fmt::format("{}.soon[{}]", key, i);
    if (!before || before->count() < 0) {
      found.add(at, fmt::format("expected a duration like \"15m\", not \"{}\"", calendar.soon[i]));
    } else if (*before > calendar.look_ahead / 2) {
      found.add(at, "must not be more than half of look_ahead", key + ".look_ahead");
    }
  }
}

void check_documents(const std::string& key, const Documents& documents, const Settings& settings,
                     Violations& found) {
  std::vector<std::string> names;
  for (const auto& [name, entity] : settings.entities) names.push_back(name);
  if (!settings.entities.contains(documents.entity)) {
    found.add(key + ".entity", fmt::format("there is no entity \"{}\"{}", documents.entity,
                                           suggestion(documents.entity, names)));
  }
  for (std::size_t i = 0; i < documents.suffixes.size(); ++i) {
    if (std::ranges::find(known_suffixes, documents.suffixes[i]) != known_suffixes.end()) continue;
    found.add(
        fmt::format("{}.suffixes[{}]", key, i),
        fmt::format("\"{}\" cannot be read: md, txt, html, htm or pdf", documents.suffixes[i]));
  }
}

}  // namespace

void check_personal(const Settings& settings, Violations& found) {
  for (const auto& [name, source] : settings.sources) {
    const auto key = "source." + name;
    if (const auto* calendar = std::get_if<Calendar>(&source.of)) {
      check_calendar(key, *calendar, found);
    }
    if (const auto* documents = std::get_if<Documents>(&source.of)) {
      check_documents(key, *documents, settings, found);
    }
  }
}

}  // namespace vigil::config
