#include "daemon/mcp/servers.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <ranges>

#include "config/granted.hpp"
#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/mcp/messages.hpp"

namespace vigil::mcp {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "mcp.";
constexpr Duration idle_max = std::chrono::seconds{30};
constexpr Duration list_is_fresh = std::chrono::minutes{10};
constexpr int conversations_max = 8;  // of one server; further questions wait
constexpr int pages_max = 32;

bool fits_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

// "docs" and "search" of "mcp.docs.search".
std::pair<std::string, std::string> parts_of(const std::string& tool) {
  if (!tool.starts_with(prefix)) return {};
  const auto dot = tool.find('.', prefix.size());
  if (dot == std::string::npos) return {};
  return {tool.substr(prefix.size(), dot - prefix.size()), tool.substr(dot + 1)};
}

Result<std::shared_ptr<const Entry>> read_entry(const std::string& name,
                                                const config::McpServer& settings) {
  auto entry = std::make_shared<Entry>();
  entry->settings = settings;
  if (settings.key) {
    auto key = config::read_secret(*settings.key);
    if (!key) {
      return fail(key.error().code, fmt::format("mcp.{}.key: {}", name, key.error().message));
    }
    entry->key = key->reveal();
  }
  auto granted = config::read_granted(settings.secrets);
  if (!granted) {
    return fail(granted.error().code,
                fmt::format("mcp.{}.secrets: {}", name, granted.error().message));
  }
  entry->environment = std::move(*granted);
  return entry;
}

}  // namespace

struct Servers::Server {
  struct Idle {
    std::unique_ptr<Peer> peer;
    Duration since;  // of steady time
  };
  std::string name;
  std::shared_ptr<const Entry> entry;
  std::deque<Idle> idle;  // the one used last at the end
  int busy = 0;
  std::deque<std::shared_ptr<Bell>> waiting;  // for their turn, in order
  bool is_tidied = false;
  std::vector<models::ToolSpec> tools;  // by the server's own names
  Duration learned_at = -list_is_fresh;

  std::string said(const Error& error) const {
    return fmt::format("the server '{}' of tools: {}", name, error.message);
  }
};

Servers::Servers(asio::any_io_executor executor, Clock& clock, models::Perform perform,
                 std::string folder)
    : executor_(executor),
      clock_(clock),
      perform_(std::move(perform)),
      folder_(fs::absolute(folder).string()),
      group_(executor) {}
Servers::~Servers() = default;

Result<void> Servers::apply(const config::Settings& settings) {
  std::map<std::string, Shared> fresh;
  for (const auto& [name, wanted] : settings.mcp) {
    auto entry = read_entry(name, wanted);
    if (!entry) return std::unexpected(entry.error());
    auto server = std::make_shared<Server>();
    server->name = name;
    server->entry = std::move(*entry);
    fresh.emplace(name, std::move(server));
  }
  servers_.swap(fresh);  // conversations of before are ended by who waits for that
  return {};
}

Servers::Shared Servers::server_of(const std::string& tool) const {
  const auto [name, own] = parts_of(tool);
  const auto found = servers_.find(name);
  if (found == servers_.end()) return nullptr;
  return fits_any(found->second->entry->settings.tools, own) ? found->second : nullptr;
}

bool Servers::has_effect(const std::string& tool) const {
  const auto server = server_of(tool);
  return !server || !fits_any(server->entry->settings.reads, parts_of(tool).second);
}

// A turn at a server, for as long as it lasts, however it ends: the next in the queue follows.
class Servers::Turn {
 public:
  explicit Turn(Shared server) : server_(std::move(server)) { ++server_->busy; }
  Turn(Turn&& other) noexcept = default;
  ~Turn() {
    if (!server_) return;
    --server_->busy;
    if (!server_->waiting.empty()) server_->waiting.front()->ring();
  }

 private:
  Shared server_;
};

struct Servers::Talk {
  Turn turn;
  std::unique_ptr<Peer> peer;
};

asio::awaitable<Result<Servers::Turn>> Servers::turn_at(Shared server, TimePoint deadline) {
  if (server->busy < conversations_max) co_return Turn(server);
  auto bell = std::make_shared<Bell>(executor_);
  server->waiting.push_back(bell);
  const auto wait = [](std::shared_ptr<Bell> rung) -> asio::awaitable<bool> {
    co_await rung->wait();
    co_return true;
  };
  auto waiting = wait(bell);
  auto limited = with_timeout(clock_, deadline - clock_.now(), std::move(waiting));
  Result<bool> rung = fail(ErrorCode::cancelled, "");
  const auto leave = [&] { std::erase(server->waiting, bell); };
  try {
    rung = co_await std::move(limited);
  } catch (...) {
    leave();
    throw;
  }
  leave();
  if (rung) co_return Turn(server);
  co_return fail(ErrorCode::busy, server->said({ErrorCode::busy, "others use all of it"}));
}

asio::awaitable<Result<std::unique_ptr<Peer>>> Servers::take(Shared server, TimePoint deadline) {
  while (!server->idle.empty()) {
    auto peer = std::move(server->idle.back().peer);
    server->idle.pop_back();
    if (!peer->has_ended()) co_return peer;
  }
  std::unique_ptr<Peer> peer;
  if (server->entry->settings.argv.empty()) {
    peer = over_http(clock_, perform_, server->entry);
  } else {
    const auto workdir = folder_ + "/" + server->name;
    std::error_code failed;
    fs::create_directories(workdir, failed);
    if (failed) co_return fail(ErrorCode::unavailable, workdir + ": " + failed.message());
    auto started = start_program(executor_, clock_, server->entry, workdir);
    if (!started) co_return fail(started.error().code, server->said(started.error()));
    peer = std::move(*started);
  }
  auto beginning = peer->begin(deadline);
  Result<void> begun = co_await std::move(beginning);
  if (!begun) co_return fail(begun.error().code, server->said(begun.error()));
  co_return peer;
}

// A turn first, then somebody to talk to.
asio::awaitable<Result<Servers::Talk>> Servers::talk_to(Shared server, TimePoint deadline) {
  auto queueing = turn_at(server, deadline);
  Result<Turn> turn = co_await std::move(queueing);
  if (!turn) co_return std::unexpected(turn.error());
  auto taking = take(server, deadline);
  Result<std::unique_ptr<Peer>> peer = co_await std::move(taking);
  if (!peer) co_return std::unexpected(peer.error());
  co_return Talk{std::move(*turn), std::move(*peer)};
}

void Servers::give_back(Shared server, std::unique_ptr<Peer> peer) {
  server->idle.push_back({std::move(peer), clock_.steady_now()});
  if (server->is_tidied || stopping_) return;
  server->is_tidied = true;
  group_.spawn("tools that nobody uses", [this, server] { return tidy(server); });
}

// Ends conversations that were idle for long, and then itself: nothing runs while nothing is used.
asio::awaitable<void> Servers::tidy(Shared server) {
  while (!server->idle.empty()) {
    const auto due = server->idle.front().since + idle_max;
    const auto is_current = [&] {
      const auto found = servers_.find(server->name);
      return found != servers_.end() && found->second == server;
    };
    const auto rest = due - clock_.steady_now();
    if (is_current() && rest > Duration{0}) {
      co_await clock_.sleep_for(rest);
      continue;
    }
    auto peer = std::move(server->idle.front().peer);
    server->idle.pop_front();
    auto ending = peer->end();
    co_await std::move(ending);
  }
  server->is_tidied = false;
}

asio::awaitable<void> Servers::stop() {
  stopping_ = true;
  group_.cancel();
  co_await group_.join();
  for (const auto& [name, server] : servers_) {
    for (auto& idle : std::exchange(server->idle, {})) {
      auto ending = idle.peer->end();
      co_await std::move(ending);
    }
  }
}

asio::awaitable<Result<void>> Servers::learn(Shared server, TimePoint deadline) {
  if (clock_.steady_now() - server->learned_at < list_is_fresh) co_return Result<void>();
  const auto until = std::min(deadline, clock_.now() + server->entry->settings.timeout);
  auto beginning = talk_to(server, until);
  Result<Talk> talk = co_await std::move(beginning);
  if (!talk) co_return std::unexpected(talk.error());
  std::vector<models::ToolSpec> tools;
  std::string cursor;
  for (int number = 0; number < pages_max; ++number) {
    json::object parameters;
    if (!cursor.empty()) parameters["cursor"] = cursor;
    auto asking = talk->peer->ask("tools/list", std::move(parameters), until);
    Result<json::object> answered = co_await std::move(asking);
    if (!answered) co_return fail(answered.error().code, server->said(answered.error()));
    auto page = page_of(*answered);
    if (!page) co_return fail(page.error().code, server->said(page.error()));
    std::ranges::move(page->tools, std::back_inserter(tools));
    cursor = page->next;
    if (cursor.empty()) break;
  }
  server->tools = std::move(tools);
  server->learned_at = clock_.steady_now();
  give_back(server, std::move(talk->peer));
  co_return Result<void>();
}

asio::awaitable<Result<std::vector<models::ToolSpec>>> Servers::describe(
    std::vector<std::string> tools, TimePoint deadline) {
  std::vector<models::ToolSpec> out;
  for (const auto& tool : tools) {
    const auto server = server_of(tool);
    if (!server) {
      co_return fail(ErrorCode::not_found,
                     fmt::format("there is no tool {}: define its [mcp.NAME], and name it in its "
                                 "`tools`",
                                 vigil::quoted(tool)));
    }
    auto learning = learn(server, deadline);
    Result<void> learned = co_await std::move(learning);
    if (!learned) co_return std::unexpected(learned.error());
    const auto known =
        std::ranges::find(server->tools, parts_of(tool).second, &models::ToolSpec::name);
    if (known == server->tools.end()) {
      const auto names = std::views::transform(server->tools, &models::ToolSpec::name);
      co_return fail(ErrorCode::not_found,
                     fmt::format("the server '{}' of tools has no {}; it has: {}", server->name,
                                 vigil::quoted(parts_of(tool).second),
                                 vigil::quoted(fmt::format("{}", fmt::join(names, ", ")))));
    }
    out.push_back({tool, known->description, known->parameters});
  }
  co_return out;
}

asio::awaitable<Result<std::string>> Servers::call(std::string tool, json::object arguments,
                                                   TimePoint deadline) {
  const auto server = server_of(tool);
  if (!server) co_return fail(ErrorCode::not_found, "there is no tool " + vigil::quoted(tool));
  const auto& settings = server->entry->settings;
  const auto until = std::min(deadline, clock_.now() + settings.timeout);
  auto beginning = talk_to(server, until);
  Result<Talk> talk = co_await std::move(beginning);
  if (!talk) co_return std::unexpected(talk.error());
  json::object parameters{{"name", parts_of(tool).second}, {"arguments", std::move(arguments)}};
  auto asking = talk->peer->ask("tools/call", std::move(parameters), until);
  Result<json::object> answered = co_await std::move(asking);
  log_debug("a tool was used: tool={} ok={}", vigil::quoted(tool), answered.has_value());
  if (!answered) co_return fail(answered.error().code, server->said(answered.error()));
  give_back(server, std::move(talk->peer));
  co_return text_of(*answered, settings.result_bytes_max);
}

}  // namespace vigil::mcp
