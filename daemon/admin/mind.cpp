// One entity's mind as JSON lines, out and in: facts, preferences and episodes. Documents are not
// among them: they are made again from their sources.
#include <fmt/format.h>

#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <set>

#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr int rows_max = 1'000'000;
constexpr std::string_view format_name = "vigild-memory-1";

void add_line(std::string& out, std::string_view kind, json::object view) {
  json::object line{{"kind", kind}};
  for (auto& member : view) line[member.key()] = std::move(member.value());
  out += to_text(line) + "\n";
}

// Runs beside the loop on a connection of its own: a mind may be large.
Result<std::string> export_of(const std::string& state_dir, const std::string& entity) {
  auto stores = storage::Stores::open_reader(state_dir);
  if (!stores) return std::unexpected(std::move(stores.error()));
  auto& memory = (*stores)->memory;
  (*stores)->snapshot();
  std::string out = to_text(json::object{{"format", format_name}, {"entity", entity}}) + "\n";
  for (const auto& fact : memory.facts(entity, "", rows_max)) {
    add_line(out, "fact", view_of(fact));
  }
  for (const auto& preference : memory.preferences(entity, "", rows_max)) {
    add_line(out, "preference", view_of(preference));
  }
  auto episodes = memory.episodes(entity, CaseId{}, rows_max);
  for (auto episode = episodes.rbegin(); episode != episodes.rend(); ++episode) {
    auto view = view_of(*episode);
    view["episode_kind"] = episode->kind;
    view.erase("kind");
    view.erase("id");
    view.erase("case");
    const auto of = (*stores)->cases.find(episode->case_id);
    view["case_key"] = of ? json::value(of->key) : json::value();
    add_line(out, "episode", std::move(view));
  }
  (*stores)->release();
  return out;
}

struct Mind {
  std::vector<storage::Fact> facts;
  std::vector<storage::Preference> preferences;
  std::vector<std::pair<std::string, storage::Episode>> episodes;  // with the key of their case
};

std::string text_at(const json::value& line, std::string_view member) {
  return std::string(find_text(line, member).value_or(""));
}

Taint taint_at(const json::value& line) {
  return find_text(line, "taint").value_or("") == "trusted" ? Taint::trusted : Taint::untrusted;
}

json::value value_at(const json::value& line, std::string_view member) {
  const auto* found = line.as_object().if_contains(member);
  return found != nullptr ? *found : json::value();
}

Result<TimePoint> time_at(const json::value& line, std::string_view member) {
  return parse_rfc3339(text_at(line, member));
}

Result<void> read_line(const json::value& line, const std::string& entity, Mind& mind) {
  const auto kind = text_at(line, "kind");
  if (kind == "fact" || kind == "preference") {
    const auto key = text_at(line, "key");
    const auto updated = time_at(line, "updated");
    if (!updated) return std::unexpected(updated.error());
    if (key.empty()) return fail(ErrorCode::invalid_input, "it has no key");
    if (kind == "preference") {
      mind.preferences.push_back(
          {entity, key, value_at(line, "value"), text_at(line, "why"), *updated, taint_at(line)});
      return {};
    }
    const auto* confidence = find_path(line, "confidence");
    json::error_code error;
    const double sure = confidence != nullptr ? confidence->to_number<double>(error) : 1.0;
    mind.facts.push_back({entity, key, value_at(line, "value"), error ? 1.0 : sure,
                          text_at(line, "provenance"), taint_at(line), *updated});
    return {};
  }
  if (kind != "episode") return fail(ErrorCode::invalid_input, "its kind is unknown");
  const auto at = time_at(line, "at");
  if (!at) return std::unexpected(at.error());
  storage::Episode episode;
  episode.entity = entity;
  episode.at = *at;
  episode.kind = text_at(line, "episode_kind");
  episode.text = text_at(line, "text");
  episode.data = value_at(line, "data");
  episode.taint = taint_at(line);
  mind.episodes.emplace_back(text_at(line, "case_key"), std::move(episode));
  return {};
}

// All lines or none: a broken one is named and nothing is taken in.
Checked<Mind> read_mind(std::string_view body, const std::string& entity) {
  Mind mind;
  int number = 0;
  while (!body.empty()) {
    const auto end = body.find('\n');
    const auto text = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
    ++number;
    if (text.empty()) continue;
    const auto line = parse_json(text);
    if (!line || !line->is_object()) {
      return refuse(422, fmt::format("line {} is not a JSON object", number),
                    "import what `vigilctl memory export` wrote; nothing was taken in");
    }
    if (number == 1 && find_text(*line, "format")) {
      if (find_text(*line, "format") == format_name) continue;
      return refuse(422, "the file has another format", fmt::format("expected {}", format_name));
    }
    if (const auto read = read_line(*line, entity, mind); !read) {
      return refuse(422, fmt::format("line {}: {}", number, read.error().message),
                    "import what `vigilctl memory export` wrote; nothing was taken in");
    }
  }
  return mind;
}

struct Imported {
  int facts = 0;
  int preferences = 0;
  int episodes = 0;
  int known = 0;  // episodes that were there already
};

// On the writer's thread. What is newer here stays; an episode that is here already is not doubled.
Imported take_in(storage::Stores& stores, const std::string& entity, const Mind& mind,
                 TimePoint now) {
  Imported out;
  for (const auto& fact : mind.facts) {
    const auto here = stores.memory.fact(entity, fact.key);
    if (here && here->updated > fact.updated) continue;
    stores.memory.put(fact);
    ++out.facts;
  }
  for (const auto& preference : mind.preferences) {
    const auto here = stores.memory.preference(entity, preference.key);
    if (here && here->updated > preference.updated) continue;
    stores.memory.put(preference);
    ++out.preferences;
  }
  // The export writes milliseconds, so that is how far two times are compared.
  std::set<std::pair<std::string, std::string>> known;
  for (const auto& episode : stores.memory.episodes(entity, CaseId{}, rows_max)) {
    known.emplace(to_rfc3339(episode.at), episode.text);
  }
  for (const auto& [case_key, episode] : mind.episodes) {
    if (!known.emplace(to_rfc3339(episode.at), episode.text).second) {
      ++out.known;
      continue;
    }
    auto row = episode;
    if (!case_key.empty()) {
      const auto of = stores.cases.find(entity, case_key);
      row.case_id = of ? of->id : stores.cases.open(entity, case_key, now).id;
    }
    stores.memory.add(row);
    ++out.episodes;
  }
  return out;
}

}  // namespace

asio::awaitable<Answer> export_memory(Desk& desk, Call call) {
  auto work = [state_dir = desk.parts.state_dir, entity = call.names[0]] {
    return export_of(state_dir, entity);
  };
  auto exporting = on_pool(desk.long_reads().get_executor(), desk.parts.executor, std::move(work));
  Result<std::string> exported = co_await std::move(exporting);
  if (!exported) co_return refuse(exported.error());
  ingress::Response response;
  response.content_type = "application/x-ndjson";
  response.body = std::move(*exported);
  co_return response;
}

asio::awaitable<Answer> import_memory(Desk& desk, Call call) {
  const auto& entity = call.names[0];
  if (!desk.parts.settings().entities.contains(entity)) {
    co_return refuse(404, fmt::format("there is no entity {}", quoted(entity)),
                     "put it into the configuration first, then import its mind");
  }
  auto mind = read_mind(call.request.body, entity);
  if (!mind) co_return std::unexpected(std::move(mind.error()));
  auto change = [entity, mind = std::move(*mind), now = desk.parts.clock.now()](
                    storage::Stores& stores) { return take_in(stores, entity, mind, now); };
  auto committing = desk.parts.writer.commit(std::move(change));
  Result<Imported> imported = co_await std::move(committing);
  if (!imported) co_return refuse(imported.error());
  log_info("a mind was imported: entity={} episodes={} uid={}", quoted(entity), imported->episodes,
           call.request.peer.uid);
  json::object out{{"entity", entity},
                   {"facts", imported->facts},
                   {"preferences", imported->preferences},
                   {"episodes", imported->episodes},
                   {"known", imported->known}};
  co_return json_response(out);
}

}  // namespace vigil::admin
