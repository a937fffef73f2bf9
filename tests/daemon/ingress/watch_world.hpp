#pragma once
// A watcher over a real journal, a real repository and a real vigil-task.
#include <algorithm>
#include <optional>

#include "core/log.hpp"
#include "daemon/ingress/watch.hpp"
#include "swarm/process_runner.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

namespace vigil::testing {

using namespace std::chrono_literals;
namespace asio = boost::asio;

struct WatchWorld : ClockedWorld {
  WatchWorld() : ClockedWorld(parse_rfc3339("2026-11-23T10:00:00Z").value()) {
    set_log_level(LogLevel::off);
    auto& source = settings.sources["repo"];
    source.name = "repo";
    auto& watched = source.of.emplace<config::Repository>();
    watched.path = clone.path().string();
    watched.name = "octo/repo";
    watched.settle = 0s;
    watched.every = 0s;
  }
  ~WatchWorld() { stop(); }

  config::Repository& watched() {
    return std::get<config::Repository>(settings.sources["repo"].of);
  }

  asio::awaitable<Result<int>> accept(ingress::Noticed noticed) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto kept = std::make_shared<ingress::Noticed>(std::move(noticed));
    auto committing = writer->commit([kept](storage::Stores& stores) {
      int fresh = 0;
      for (const auto& event : kept->events)
        fresh += stores.journal.append(event).duplicate ? 0 : 1;
      kept->along(stores);
      return fresh;
    });
    Result<int> fresh = co_await std::move(committing);
    ++commits;
    std::ranges::move(kept->payloads, std::back_inserter(payloads));
    std::ranges::move(kept->events, std::back_inserter(events));
    co_return fresh;
  }

  void start() {
    watcher.emplace(
        loop.get_executor(), clock,
        [this] {
          // A build that checks its memory asks for a large address space.
          swarm::ProcessLimits limits;
          limits.memory_bytes_max = 100'000'000'000'000;
          return swarm::make_process_runner(loop.get_executor(), clock, bin_dir(),
                                            (path / "reading").string(), limits);
        },
        [this](ingress::Noticed noticed) { return accept(std::move(noticed)); });
    REQUIRE(watcher->apply(settings));
    watcher->start(*reader);
  }
  void stop() {
    if (!watcher) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = watcher->stop();
      co_await std::move(stopping);
    });
    watcher.reset();
  }
  std::uint64_t looks() { return watcher->views().at(0).looks; }
  void until_looks(std::uint64_t count) {
    until([this, count] { return looks() >= count; });
  }
  // Looks until two in a row found nothing: whatever was to be told is told.
  void look_again() {
    const auto before = looks();
    watcher->poke("repo");
    until_looks(before + 1);
  }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.subject);
    return out;
  }

  Clone clone;
  config::Settings settings;
  std::vector<storage::NewEvent> events;
  std::vector<json::value> payloads;
  bool refuse = false;
  int commits = 0;
  std::optional<ingress::Watcher> watcher;
};

}  // namespace vigil::testing
