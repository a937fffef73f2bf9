#include "entities/knowledge/analysers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "entities/knowledge/folder.hpp"
#include "entities/ops/reading_input.hpp"
#include "storage/database.hpp"
#include "storage/memory.hpp"
#include "storage/migrations.hpp"
#include "storage/seen.hpp"

namespace vigil::entities::knowledge {
namespace {

constexpr std::size_t bytes_of_a_look = 8 * 1024 * 1024;
const std::string by_hand = "documents";  // the entity of an index made by hand

constexpr Analyser all[] = {
    {"knowledge.index", "reads a folder of documents into a database that knowledge.ask searches",
     "a folder; db (file, made when missing), suffixes, ignore, file_bytes_max", run_index},
    {"knowledge.ask", "answers a question from indexed documents, with the source",
     "the question; db (file), limit", run_ask},
    {"knowledge.look", "what is new in a folder of documents, for the source that watches it",
     "path, suffixes, ignore, known, file_bytes_max, files_max", run_look},
};

Result<Wanted> wanted_of(const json::value& input, const std::string& path) {
  Wanted out;
  out.path = path;
  auto suffixes = ops::texts_in(input, "suffixes");
  if (!suffixes) return std::unexpected(suffixes.error());
  out.suffixes = suffixes->empty() ? std::vector<std::string>{"md", "txt", "html", "htm", "pdf"}
                                   : std::move(*suffixes);
  auto ignore = ops::texts_in(input, "ignore");
  if (!ignore) return std::unexpected(ignore.error());
  out.ignore = ignore->empty() ? std::vector<std::string>{".*", "node_modules"} : *ignore;
  const auto bytes = ops::number_in(input, "file_bytes_max", 16e6);
  const auto files = ops::number_in(input, "files_max", 100'000);
  if (!bytes) return std::unexpected(bytes.error());
  if (!files) return std::unexpected(files.error());
  out.file_bytes_max = static_cast<std::size_t>(std::clamp(*bytes, 1.0, 64e6));
  out.files_max = static_cast<std::size_t>(std::clamp(*files, 1.0, 1e6));
  const auto* known = find_path(input, "known");
  if (known != nullptr && known->is_object()) {
    for (const auto& [name, stamp] : known->get_object()) {
      if (stamp.is_string()) out.known[name] = std::string_view(stamp.get_string());
    }
  }
  return out;
}

Result<std::unique_ptr<storage::Database>> open_index(const std::string& path, storage::Use use) {
  if (path.empty()) return fail(ErrorCode::invalid_input, "db: name the file of the index");
  std::error_code error;
  if (use == storage::Use::read && !std::filesystem::exists(path, error)) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no index {}: make it with `vigil-task knowledge.index DIR "
                            "--db FILE`",
                            vigil::quoted(path)));
  }
  try {
    auto database = storage::Database::open(path, use, storage::Sync::off);
    if (use == storage::Use::write) {
      if (auto made = storage::migrate(*database, path); !made) {
        return std::unexpected(made.error());
      }
    }
    return database;
  } catch (const storage::DatabaseError& problem) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}: {}", vigil::quoted(path), problem.what()));
  }
}

struct Tally {
  int indexed = 0;
  int gone = 0;
  std::vector<std::string> troubles;
};

// One look into the database, in one transaction.
void store(storage::Database& database, const std::string& source, const FolderLook& look,
           TimePoint now, Tally& tally) {
  storage::Transaction transaction(database);
  storage::Memory memory(database);
  storage::Seen seen(database);
  for (const auto& file : look.files) {
    seen.put(source, file.path, file.stamp, now);
    if (!file.trouble.empty()) tally.troubles.push_back(file.path + ": " + file.trouble);
    if (file.same || !file.trouble.empty()) continue;
    memory.put(storage::Document{by_hand, file.path, file.title, file.text, Taint::untrusted, now});
    ++tally.indexed;
  }
  for (const auto& path : look.gone) {
    memory.put(storage::Document{by_hand, path, "", "", Taint::untrusted, now});
    seen.erase(source, path);
    ++tally.gone;
  }
  transaction.commit();
}

json::object hit_json(const storage::Hit& hit) {
  return {{"quote", hit.quote},       {"document", hit.key}, {"title", hit.title},
          {"heading", hit.heading},   {"place", hit.place},  {"passage", hit.text},
          {"coverage", hit.coverage}, {"score", hit.score}};
}

std::string source_line(const storage::Hit& hit) {
  auto line = hit.key;
  if (!hit.heading.empty()) line += ", " + hit.heading;
  return line + ", " + hit.place;
}

}  // namespace

std::span<const Analyser> analysers() { return all; }

Result<json::value> run_look(const Request& request) {
  auto wanted = wanted_of(request.input, ops::text_in(request.input, "path", ""));
  if (!wanted) return std::unexpected(wanted.error());
  const auto look = look_at_folder(*wanted, bytes_of_a_look);
  if (!look) return std::unexpected(look.error());
  json::array files;
  for (const auto& file : look->files) {
    json::object one{{"path", file.path}, {"stamp", file.stamp}, {"same", file.same}};
    if (!file.trouble.empty()) one["trouble"] = to_valid_utf8(file.trouble);
    if (!file.text.empty()) one["text"] = file.text;
    if (!file.text.empty()) one["title"] = file.title;
    files.push_back(std::move(one));
  }
  json::array gone(look->gone.begin(), look->gone.end());
  json::array folders(look->folders.begin(), look->folders.end());
  return json::object{{"files", std::move(files)},
                      {"gone", std::move(gone)},
                      {"folders", std::move(folders)},
                      {"left_out", look->left_out},
                      {"more", look->more}};
}

Result<json::value> run_index(const Request& request) {
  const auto& input = request.input;
  if (auto known =
          ops::known_members(input, {"db", "suffixes", "ignore", "file_bytes_max", "files_max"});
      !known) {
    return std::unexpected(known.error());
  }
  const auto files = ops::texts_in(input, "files");
  if (!files) return std::unexpected(files.error());
  if (files->size() != 1) return fail(ErrorCode::invalid_input, "name one folder");
  std::error_code error;
  const auto folder = std::filesystem::absolute(files->front(), error).lexically_normal().string();
  auto wanted = wanted_of(input, folder);
  if (!wanted) return std::unexpected(wanted.error());
  auto database = open_index(ops::text_in(input, "db", ""), storage::Use::write);
  if (!database) return std::unexpected(database.error());
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const auto source = "knowledge " + folder;
  Tally tally;
  std::size_t left_out = 0;
  for (bool more = true; more;) {
    wanted->known.clear();
    for (auto& row : storage::Seen(**database).all(source)) wanted->known[row.item] = row.value;
    const auto look = look_at_folder(*wanted, bytes_of_a_look);
    if (!look) return std::unexpected(look.error());
    store(**database, source, *look, now, tally);
    left_out = look->left_out;
    more = look->more;
  }
  const auto passages = storage::Passages(**database).count();
  auto text = fmt::format("{} documents read, {} gone; the index has {} passages\n", tally.indexed,
                          tally.gone, passages);
  for (const auto& trouble : tally.troubles) text += "not read: " + trouble + "\n";
  if (left_out > 0) text += fmt::format("{} files are too large or too many\n", left_out);
  json::array troubles(tally.troubles.begin(), tally.troubles.end());
  return json::object{
      {"indexed", tally.indexed}, {"gone", tally.gone}, {"passages", passages},
      {"left_out", left_out},     {"text", text},       {"troubles", std::move(troubles)}};
}

Result<json::value> run_ask(const Request& request) {
  const auto& input = request.input;
  if (auto known = ops::known_members(input, {"db", "limit", "question"}); !known) {
    return std::unexpected(known.error());
  }
  const auto words = ops::texts_in(input, "files");
  if (!words) return std::unexpected(words.error());
  auto question = ops::text_in(input, "question", "");
  for (const auto& word : *words) question += (question.empty() ? "" : " ") + word;
  if (question.empty()) return fail(ErrorCode::invalid_input, "ask something");
  const auto limit = ops::number_in(input, "limit", 3);
  if (!limit) return std::unexpected(limit.error());
  auto database = open_index(ops::text_in(input, "db", ""), storage::Use::read);
  if (!database) return std::unexpected(database.error());
  storage::Passages passages(**database);
  json::array found;
  std::string text;
  for (const auto& hit :
       passages.find("", question, static_cast<int>(std::clamp(*limit, 1.0, 50.0)))) {
    if (!answers(hit)) continue;
    text += fmt::format("“{}”\n  {}\n", hit.quote, source_line(hit));
    found.push_back(hit_json(hit));
  }
  const bool any = !found.empty();
  if (!any) text = "not found in these documents\n";
  return json::object{{"found", any}, {"answers", std::move(found)}, {"text", text}};
}

}  // namespace vigil::entities::knowledge
