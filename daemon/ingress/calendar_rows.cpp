#include "daemon/ingress/calendar_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

namespace vigil::ingress {
namespace {

const std::string form_key = "form";
const std::string until_key = "until";
const std::string token_key = "token";

std::string text_of(const Occurrence& occurrence) { return to_text(occurrence.event); }

}  // namespace

std::string form_of(const config::Calendar& settings) {
  return fmt::format("{}\n{}\n{}\n{}", static_cast<int>(settings.form), settings.path, settings.url,
                     settings.tz);
}

std::string stamp_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;  // what is gone has no size: that is told by the stamp, too
  std::string out;
  const auto add = [&](const fs::path& file) {
    const auto bytes = fs::file_size(file, error);
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    out += fmt::format("{} {} {}\n", file.filename().string(), bytes, time);
  };
  if (!fs::is_directory(path, error)) {
    add(path);
    return out;
  }
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.path().extension() == ".ics") add(entry.path());
  }
  return out;
}

Kept load_kept(storage::Seen& seen, const std::string& source, const std::string& form) {
  Kept out;
  if (seen.get(source, form_key) != form) return out;
  out.seen_before = true;
  for (const auto& row : seen.all(source)) {
    const auto key = row.item.substr(std::min<std::size_t>(2, row.item.size()));
    if (row.item == until_key) out.known_until = parse_rfc3339(row.value).value_or(TimePoint{});
    if (row.item == token_key) out.resources.token = row.value;
    if (row.item.starts_with("d:")) {
      out.resources.etags[key] = row.value.substr(0, row.value.find('\n'));
    }
    if (row.item.starts_with("t:")) out.done[key] = parse_rfc3339(row.value).value_or(TimePoint{});
    if (!row.item.starts_with("o:")) continue;
    auto event = parse_json(row.value);
    auto occurrence = event ? occurrence_of(std::move(*event)) : std::nullopt;
    if (occurrence) out.occurrences.emplace(key, std::move(*occurrence));
  }
  return out;
}

json::array texts_of(storage::Seen& seen, const std::string& source, const Fetched& fetched) {
  json::array out;
  for (const auto& [address, etag] : fetched.now.etags) {
    const auto fresh = fetched.texts.find(address);
    std::string text;
    if (fresh != fetched.texts.end()) {
      text = fresh->second;
    } else if (const auto kept = seen.get(source, "d:" + address)) {
      text = kept->substr(std::min(kept->size(), kept->find('\n') + 1));
    }
    out.push_back(json::object{{"href", address}, {"text", std::move(text)}});
  }
  return out;
}

std::function<void(storage::Stores&)> keeping(const std::string& source, const std::string& form,
                                              const Kept& before, std::shared_ptr<const Kept> after,
                                              const Fetched& fetched, TimePoint now) {
  return [source, form, before, after, fetched, now](storage::Stores& stores) {
    auto& seen = stores.seen;
    if (!before.seen_before) seen.forget(source);
    seen.put(source, form_key, form, now);
    seen.put(source, until_key, to_rfc3339(after->known_until), now);
    seen.put(source, token_key, after->resources.token, now);
    for (const auto& address : fetched.gone) seen.erase(source, "d:" + address);
    for (const auto& [address, text] : fetched.texts) {
      seen.put(source, "d:" + address, fetched.now.etags.at(address) + "\n" + text, now);
    }
    for (const auto& [key, is] : after->occurrences) {
      const auto was = before.occurrences.find(key);
      auto text = text_of(is);
      const bool same = was != before.occurrences.end() && text_of(was->second) == text;
      if (!same) seen.put(source, "o:" + key, text, now);
    }
    for (const auto& [key, was] : before.occurrences) {
      if (!after->occurrences.contains(key)) seen.erase(source, "o:" + key);
    }
    for (const auto& [telling, begins] : before.done) {
      if (!after->done.contains(telling)) seen.erase(source, "t:" + telling);
    }
  };
}

std::function<void(storage::Stores&)> keeping(const std::string& source, const TellingsDone& told,
                                              TimePoint now) {
  return [source, told, now](storage::Stores& stores) {
    for (const auto& [telling, begins] : told) {
      stores.seen.put(source, "t:" + telling, to_rfc3339(begins), now);
    }
  };
}

}  // namespace vigil::ingress
