#include "tests/daemon/ingress/door_world.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <stdexcept>

#include "core/digest.hpp"
#include "core/task_group.hpp"

namespace vigil::testing {
namespace asio = boost::asio;

DoorWorld::DoorWorld()
    : door(clock, [this](storage::NewEvent event,
                         json::value data) { return accept(std::move(event), std::move(data)); }),
      directory(std::filesystem::temp_directory_path() / ("vigild-" + random_hex(8))) {
  std::filesystem::create_directory(directory);
}

DoorWorld::~DoorWorld() { std::filesystem::remove_all(directory); }

config::Webhook& DoorWorld::add(const std::string& name, config::Scheme scheme,
                                const std::vector<std::string>& secrets) {
  config::Webhook hook;
  hook.scheme = scheme;
  for (const auto& secret : secrets) {
    const auto path = directory / random_hex(8);
    std::ofstream(path) << secret << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    hook.secrets.push_back({"file:" + path.string()});
  }
  auto& source = settings.sources[name];
  source.name = name;
  source.of = std::move(hook);
  return std::get<config::Webhook>(source.of);
}

void DoorWorld::apply() {
  const auto applied = try_apply();
  if (!applied) throw std::runtime_error(applied.error().message);
}

asio::awaitable<Result<storage::Appended>> DoorWorld::accept(storage::NewEvent event,
                                                             json::value data) {
  if (before_storing) before_storing();
  if (!storage_state) co_return std::unexpected(storage_state.error());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto& old = stored[i].event;
    const bool same_body = !event.dedup_hash.empty() && old.dedup_hash == event.dedup_hash;
    if (old.source == event.source && (old.uid == event.uid || same_body)) {
      co_return storage::Appended{EventId{static_cast<std::int64_t>(i) + 1}, true};
    }
  }
  stored.push_back({std::move(event), std::move(data)});
  co_return storage::Appended{EventId{static_cast<std::int64_t>(stored.size())}, false};
}

ingress::Response DoorWorld::send(ingress::Request request) {
  const auto verdict = door.check_head(request);
  if (verdict.refuse_status != 0) {
    ingress::Response out;
    out.status = verdict.refuse_status;
    out.body = verdict.refuse_body;
    return out;
  }
  if (request.body.size() > verdict.body_bytes_max)
    throw std::runtime_error("the server refuses it");
  return handle(std::move(request));
}

ingress::Response DoorWorld::handle(ingress::Request request) {
  std::optional<ingress::Response> out;
  TaskGroup group(loop_.get_executor());
  group.spawn("request", [&]() -> asio::awaitable<void> {
    auto handling = door.handle(std::move(request));
    out = co_await std::move(handling);
  });
  loop_.restart();
  loop_.run();
  if (!out) throw std::runtime_error("the door threw");
  return std::move(*out);
}

ingress::Response DoorWorld::post(const std::string& path, std::string body,
                                  std::vector<std::pair<std::string, std::string>> headers) {
  ingress::Request request;
  request.method = "POST";
  request.target = path;
  request.body = std::move(body);
  request.headers = std::move(headers);
  request.peer.address = "127.0.0.1";
  return send(std::move(request));
}

std::string github_signature(std::string_view secret, std::string_view body) {
  return "sha256=" + to_hex(as_bytes(hmac_sha256(secret, body)));
}

std::string error_of(const ingress::Response& response) {
  const auto parsed = parse_json(response.body);
  if (!parsed) return "not JSON: " + response.body;
  return fmt::format("{}; {}", find_text(*parsed, "error").value_or("?"),
                     find_text(*parsed, "hint").value_or("?"));
}

}  // namespace vigil::testing
