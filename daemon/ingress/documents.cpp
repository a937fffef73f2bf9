#include "daemon/ingress/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <utility>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/watch_notices.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 5s;
constexpr Duration retry_most = 10min;
constexpr Duration settle = 500ms;
constexpr std::size_t bytes_at_once =
    256 * 1024;  // of text in one commit: the writer serves others
constexpr std::size_t paths_told_max = 50;
const std::string form_item;  // no file has an empty name

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Documents with)
      : name(std::move(called)), settings(std::move(with)), bell(executor), work(executor) {}

  std::string name;
  config::Documents settings;
  Taint taint = Taint::untrusted;
  bool seen_before = false;
  std::map<std::string, std::string> known;  // stamps by path
  std::unique_ptr<Notices> notices;
  bool notices_failed = false;
  bool dismissed = false;
  int failures = 0;
  DocumentFolders::View view;
  Bell bell;
  TaskGroup work;  // the one that looks
};
using EntryPtr = std::shared_ptr<Entry>;

std::string form_of(const config::Documents& settings) {
  return settings.entity + "\n" + settings.path;
}

std::string text_at(const json::value& value, std::string_view path) {
  return std::string(find_text(value, path).value_or(""));
}

// A step of what a look found, small enough for one commit.
struct Step {
  std::vector<storage::Document> documents;                 // an empty body: it is gone
  std::vector<std::pair<std::string, std::string>> stamps;  // an empty one: it is gone
  json::array paths;
  std::size_t bytes = 0;
};

swarm::Task task_of(const Entry& entry) {
  const auto& settings = entry.settings;
  swarm::Task task;
  task.name = "documents";
  task.builtin = "knowledge.look";
  task.read_paths = {settings.path};
  task.timeout = settings.timeout;
  json::object known;
  for (const auto& [path, stamp] : entry.known) known[path] = stamp;
  task.input =
      json::object{{"path", settings.path},
                   {"suffixes", json::array(settings.suffixes.begin(), settings.suffixes.end())},
                   {"ignore", json::array(settings.ignore.begin(), settings.ignore.end())},
                   {"file_bytes_max", static_cast<std::int64_t>(settings.file_bytes_max)},
                   {"files_max", settings.files_max},
                   {"known", std::move(known)}};
  return task;
}

std::vector<Step> steps_of(const Entry& entry, const json::value& result, TimePoint now,
                           std::string& trouble) {
  std::vector<Step> out(1);
  const auto add = [&](const std::string& path, const std::string& stamp) -> Step& {
    if (out.back().bytes > bytes_at_once || out.back().stamps.size() >= 200) out.emplace_back();
    out.back().stamps.emplace_back(path, stamp);
    return out.back();
  };
  const auto document = [&](const std::string& path, std::string title, std::string text) {
    return storage::Document{entry.settings.entity, document_key(entry.name, path),
                             std::move(title),      std::move(text),
                             entry.taint,           now};
  };
  const auto* files = find_path(result, "files");
  for (const auto& file : files->get_array()) {
    const auto path = text_at(file, "path");
    auto& step = add(path, text_at(file, "stamp"));
    if (const auto why = text_at(file, "trouble"); !why.empty()) trouble = path + ": " + why;
    auto text = text_at(file, "text");
    if (text.empty()) continue;
    step.bytes += text.size();
    step.paths.emplace_back(path);
    step.documents.push_back(document(path, text_at(file, "title"), std::move(text)));
  }
  const auto* gone = find_path(result, "gone");
  for (const auto& one : gone->get_array()) {
    const std::string path(one.is_string() ? std::string_view(one.get_string()) : "");
    auto& step = add(path, "");
    step.paths.emplace_back(path);
    step.documents.push_back(document(path, "", ""));
  }
  return out;
}

}  // namespace

std::string document_key(const std::string& source, const std::string& path) {
  return "documents/" + source + "/" + path;
}

struct DocumentFolders::State {
  State(asio::any_io_executor on, Clock& time, MakeRunner makes, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        contained(time, std::move(makes)),
        accept(std::move(accepts)),
        keeper(on, "documents", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  void keep_watch(Entry& entry, const json::value& result);
  void recall(Entry& entry);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<void> wait(EntryPtr entry, Duration pause);
  asio::awaitable<Result<bool>> look(EntryPtr entry);
  asio::awaitable<Result<void>> store(EntryPtr entry, Step step);

  asio::any_io_executor executor;
  Clock& clock;
  Reading contained;
  AcceptNoticed accept;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

void DocumentFolders::State::keep_watch(Entry& entry, const json::value& result) {
  const auto* list = find_path(result, "folders");
  if (list == nullptr || !list->is_array() || entry.notices_failed || entry.dismissed) return;
  std::vector<std::string> folders;
  for (const auto& one : list->get_array()) {
    if (one.is_string()) folders.emplace_back(std::string_view(one.get_string()));
  }
  if (!entry.notices) {
    auto opened = Notices::open(executor, NoticeKind::any, [&bell = entry.bell] { bell.ring(); });
    if (opened) entry.notices = std::move(*opened);
    entry.notices_failed = !opened;
  }
  auto watched = entry.notices ? entry.notices->watch(folders) : Result<int>{0};
  if (!watched) entry.notices_failed = true;
  if (entry.notices_failed) {
    log_warn("documents are read every {} only: source={}", to_text(entry.settings.every),
             entry.name);
  } else if (*watched > 0) {
    entry.bell.ring();  // between the look and now nobody listened there
  }
}

// Whether there is more to read at once.
asio::awaitable<Result<bool>> DocumentFolders::State::look(EntryPtr entry) {
  auto reading = contained.read(task_of(*entry));
  Result<json::value> result = co_await std::move(reading);
  if (!result) co_return std::unexpected(std::move(result.error()));
  const auto* files = find_path(*result, "files");
  const auto* gone = find_path(*result, "gone");
  if (files == nullptr || !files->is_array() || gone == nullptr || !gone->is_array()) {
    co_return fail(ErrorCode::internal, "vigil-task gave no files: is it of this version?");
  }
  keep_watch(*entry, *result);
  std::string trouble;
  auto steps = steps_of(*entry, *result, clock.now(), trouble);
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Result<void> stored;
  for (auto& step : steps) {
    if (step.stamps.empty() && entry->seen_before) continue;
    auto storing = store(entry, std::move(step));
    stored = co_await std::move(storing);
    if (!stored) break;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  if (!trouble.empty()) {
    log_warn("a document cannot be read: source={} file={}", entry->name, vigil::quoted(trouble));
  }
  co_return find_bool(*result, "more").value_or(false);
}

asio::awaitable<Result<void>> DocumentFolders::State::store(EntryPtr entry, Step step) {
  const auto now = clock.now();
  Noticed noticed;
  if (entry->seen_before && !step.paths.empty()) {
    if (step.paths.size() > paths_told_max) step.paths.resize(paths_told_max);
    storage::NewEvent event;
    event.uid = fmt::format("documents {}", to_unix_us(now));
    event.source = entry->name;
    event.type = "documents.changed";
    event.subject = std::string_view(step.paths.front().get_string());
    event.subject = to_valid_utf8(event.subject.substr(0, 200));
    event.time = now;
    event.received_at = now;
    event.content_type = "application/json";
    event.taint = entry->taint;
    json::object payload{{"entity", entry->settings.entity}, {"paths", step.paths}};
    event.data = to_text(payload);
    noticed.events.push_back(std::move(event));
    noticed.payloads.emplace_back(std::move(payload));
  }
  const auto kept = std::make_shared<const Step>(std::move(step));
  const bool first = !entry->seen_before;
  noticed.along = [name = entry->name, form = form_of(entry->settings), kept, first,
                   now](storage::Stores& stores) {
    if (first) stores.seen.forget(name);
    stores.seen.put(name, form_item, form, now);
    for (const auto& document : kept->documents) stores.memory.put(document);
    for (const auto& [path, stamp] : kept->stamps) {
      if (stamp.empty()) stores.seen.erase(name, path);
      if (!stamp.empty()) stores.seen.put(name, path, stamp, now);
    }
  };
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  entry->seen_before = true;
  for (const auto& [path, stamp] : kept->stamps) {
    if (stamp.empty()) entry->known.erase(path);
    if (!stamp.empty()) entry->known[path] = stamp;
  }
  co_return Result<void>{};
}

asio::awaitable<void> DocumentFolders::State::wait(EntryPtr entry, Duration pause) {
  auto waiting = with_timeout(clock, pause, rung(entry->bell));
  Result<bool> heard = co_await std::move(waiting);
  for (int again = 0; heard && again < 25; ++again) {
    auto settling = with_timeout(clock, settle, rung(entry->bell));
    heard = co_await std::move(settling);
  }
}

void DocumentFolders::State::recall(Entry& entry) {
  for (auto& row : reader->seen.all(entry.name)) {
    if (row.item == form_item) {
      entry.seen_before = row.value == form_of(entry.settings);
    } else {
      entry.known.emplace(std::move(row.item), std::move(row.value));
    }
  }
  if (!entry.seen_before) entry.known.clear();
}

asio::awaitable<void> DocumentFolders::State::run(EntryPtr entry) {
  recall(*entry);
  auto& view = entry->view;
  while (!entry->dismissed) {
    auto looking = look(entry);
    Result<bool> more = co_await std::move(looking);
    ++view.looks;
    view.files = entry->known.size();
    Duration pause = entry->settings.every;
    if (more) {
      entry->failures = 0;
      view.trouble.clear();
      if (*more) continue;
    } else {
      pause = std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 8)));
      if (view.trouble != more.error().message) {
        log_warn("documents cannot be read, trying again in {}: source={} error={}", to_text(pause),
                 entry->name, vigil::quoted(more.error().message));
      }
      view.trouble = more.error().message;
    }
    if (entry->dismissed) co_return;
    auto waiting = wait(entry, pause);
    co_await std::move(waiting);
  }
}

DocumentFolders::DocumentFolders(asio::any_io_executor executor, Clock& clock,
                                 MakeRunner make_runner, AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(make_runner),
                                     std::move(accept))) {}
DocumentFolders::~DocumentFolders() = default;

Result<void> DocumentFolders::apply(const config::Settings& settings) {
  auto& state = *state_;
  Keeper<Entry>::Entries kept;
  for (const auto& [name, source] : settings.sources) {
    const auto* wanted = std::get_if<config::Documents>(&source.of);
    if (wanted == nullptr) continue;
    const auto known = state.keeper.find(name);
    const bool goes_on = known && form_of(known->settings) == form_of(*wanted);
    auto entry = goes_on ? known : std::make_shared<Entry>(state.executor, name, *wanted);
    entry->settings = *wanted;
    entry->taint = source.trusted ? Taint::trusted : Taint::untrusted;
    entry->view.source = name;
    if (goes_on) entry->bell.ring();
    kept[name] = std::move(entry);
  }
  state.keeper.replace(std::move(kept));
  return {};
}

void DocumentFolders::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

bool DocumentFolders::poke(const std::string& source) {
  const auto found = state_->keeper.find(source);
  if (!found) return false;
  found->bell.ring();
  return true;
}

asio::awaitable<void> DocumentFolders::stop() { co_await state_->keeper.stop(); }

std::vector<DocumentFolders::View> DocumentFolders::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
