// What only the daemon can look at: its own state, its sources and sinks, the files it stands on.
// Each line is ok, warn or bad, and says what to do.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/metrics.hpp"
#include "daemon/ingress/post.hpp"
#include "daemon/runtime/commit.hpp"
#include "storage/backup.hpp"
#include "storage/database.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration lately = 24h;
constexpr int actions_looked_at = 200;

class Chart {
 public:
  void ok(std::string_view check, std::string text) { add("ok", check, std::move(text)); }
  void warn(std::string_view check, std::string text) { add("warn", check, std::move(text)); }
  void bad(std::string_view check, std::string text) { add("bad", check, std::move(text)); }
  json::array rows;

 private:
  void add(std::string_view finding, std::string_view check, std::string text) {
    rows.push_back(json::object{{"finding", finding}, {"check", check}, {"text", text}});
  }
};

void look_at_self(const Parts& parts, Chart& chart) {
  const auto self = parts.self();
  if (self.safe_mode.empty()) {
    chart.ok("safe mode", "off");
  } else {
    chart.bad("safe mode", self.safe_mode +
                               ": events are stored, nothing is decided or sent. Find out why in "
                               "the daemon's log, then: vigilctl safe-mode leave");
  }
  if (!self.config_trouble.empty()) chart.bad("last good", self.config_trouble);
  if (self.loop.held == 0) {
    chart.ok("loop", "never held for long; the longest was " + to_text(self.loop.longest));
  } else {
    chart.warn("loop",
               fmt::format("held {} times, for {} at the longest: is the machine too busy, "
                           "or the disk slow? [daemon] stall_after says from when it counts",
                           self.loop.held, to_text(self.loop.longest)));
  }
  rlimit files{};
  const auto open = read_process_numbers().open_fds;
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const auto text = fmt::format("{} of {} descriptors are open", open, files.rlim_cur);
  if (static_cast<rlim_t>(open) * 5 > files.rlim_cur * 4) {
    chart.warn("descriptors", text + ": raise LimitNOFILE, or lower [http] connections_max");
  } else {
    chart.ok("descriptors", text);
  }
}

void look_at_queues(Desk& desk, Chart& chart) {
  const auto status = desk.parts.runtime.status();
  auto& stores = desk.reader();
  const auto unrouted =
      std::max(status.unrouted,
               stores.journal.count_after(EventId{stores.cursors.get(runtime::router_cursor)}));
  const auto most = desk.parts.settings().storage.queue_max;
  const auto text = fmt::format("{} events to route, {} wakes to decide, {} changes to write",
                                unrouted, status.wakes_open, desk.parts.writer.queued());
  if (unrouted * 10 > static_cast<std::int64_t>(most) * 8) {
    chart.bad(
        "queues",
        fmt::format("{}: beyond {} senders get 503. vigilctl top shows what is slow", text, most));
  } else if (unrouted > 1000 || status.wakes_open > 10'000) {
    chart.warn("queues", text + ": vigilctl top shows what is slow");
  } else {
    chart.ok("queues", text);
  }
  if (status.entities_paused > 0) {
    chart.warn("paused", fmt::format("{} entities are paused, their wakes wait: vigilctl entities "
                                     "list",
                                     status.entities_paused));
  }
}

bool is_heard_from(storage::Stores& stores, const std::string& source) {
  return !stores.journal.list({.source = source, .limit = 1}).empty();
}

void look_at_sources(Desk& desk, Chart& chart) {
  std::vector<std::string> never;
  int heard = 0;
  for (const auto& [name, source] : desk.parts.settings().sources) {
    if (std::holds_alternative<config::Schedule>(source.of)) continue;  // its time may be to come
    if (is_heard_from(desk.reader(), name)) {
      ++heard;
    } else {
      never.push_back(name);
    }
  }
  if (never.empty()) {
    chart.ok("sources", heard == 0 ? std::string("there are none that somebody sends to")
                                   : fmt::format("all {} were heard from", heard));
  } else {
    chart.warn("sources",
               fmt::format("never heard from: {}. Is the sender set up? docs/webhooks.md "
                           "says how, and what a refusal means",
                           fmt::join(never, ", ")));
  }
  if (desk.parts.lookouts != nullptr) {
    for (const auto& view : desk.parts.lookouts->poller.views()) {
      if (view.trouble.empty()) continue;
      chart.warn("polling", fmt::format("{} cannot be read: {}; again at {}", view.source,
                                        vigil::quoted(view.trouble), to_rfc3339(view.next_look)));
    }
    for (const auto& [source, text] : desk.parts.lookouts->redeliveries.troubles()) {
      chart.warn("redelivery", fmt::format("what {} missed cannot be asked for again: {}", source,
                                           vigil::quoted(text)));
    }
  }
  if (desk.parts.post == nullptr) return;
  for (const auto& [source, text] : desk.parts.post->troubles()) {
    chart.warn("mail",
               fmt::format("{}: {}; it is tried again and again", source, vigil::quoted(text)));
  }
}

void look_at_silences(const Parts& parts, Chart& chart) {
  if (parts.silences == nullptr) return;
  const auto now = parts.clock.now();
  int expected = 0;
  int silent = 0;
  for (const auto& view : parts.silences->views()) {
    ++expected;
    if (!view.silent && view.due > now) continue;
    ++silent;
    const auto since = view.last ? "since " + to_rfc3339(*view.last) : std::string("ever");
    chart.warn("silence", fmt::format("nothing from {} {} {}: it is expected every {}",
                                      view.what == ingress::Expected::source ? "source" : "entity",
                                      view.name, since, to_text(view.every)));
  }
  if (expected == 0) {
    chart.ok("silence",
             "nobody is expected: expect_every of a source or an entity tells a silence");
  } else if (silent == 0) {
    chart.ok("silence", fmt::format("{} are expected to be heard from, and are", expected));
  }
}

void look_at_sinks(Desk& desk, Chart& chart) {
  struct Failed {
    int count = 0;
    std::string last;
  };
  std::map<std::string, Failed> failed;
  const auto since = desk.parts.clock.now() - lately;
  for (const auto& action : desk.reader().outbox.list("", "failed", {}, actions_looked_at)) {
    if (action.settled < since) continue;
    auto& one = failed[action.sink];
    if (one.count++ == 0) one.last = action.error;  // newest first
  }
  for (const auto& [sink, one] : failed) {
    chart.warn("sinks",
               fmt::format("{}: {} failed within a day, the last: {}. vigilctl actions list "
                           "--state failed; approve sends one again",
                           sink, one.count, vigil::quoted(one.last)));
  }
  if (failed.empty()) chart.ok("sinks", "nothing failed within a day");
}

using Secrets = std::vector<std::pair<std::string, config::SecretRef>>;

Secrets secrets_of(const config::Settings& settings) {
  Secrets out;
  for (const auto& [name, source] : settings.sources) {
    const auto key = "source." + name;
    if (const auto* hook = std::get_if<config::Webhook>(&source.of)) {
      for (const auto& ref : hook->secrets) out.emplace_back(key + ".secrets", ref);
      for (const auto& [check, ref] : hook->ids) out.emplace_back(key + ".ids." + check, ref);
    }
    const auto* poll = std::get_if<config::Poll>(&source.of);
    if (poll != nullptr && poll->token) out.emplace_back(key + ".token", *poll->token);
  }
  for (const auto& [name, sink] : settings.sinks) {
    const auto key = "sink." + name;
    const auto* http = std::get_if<config::HttpSink>(&sink.of);
    if (http != nullptr && http->secret) out.emplace_back(key + ".secret", *http->secret);
    if (const auto* github = std::get_if<config::GithubSink>(&sink.of)) {
      out.emplace_back(key + ".token", github->token);
    }
  }
  return out;
}

void look_at_files(const Parts& parts, Chart& chart) {
  struct stat about{};
  if (::stat(parts.state_dir.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
    chart.bad("permissions",
              fmt::format("others may look into {0}: chmod 700 {0}", parts.state_dir));
  } else {
    chart.ok("permissions", parts.state_dir + " is for the daemon alone");
  }
  const auto secrets = secrets_of(parts.settings());
  std::size_t good = 0;
  for (const auto& [key, ref] : secrets) {
    auto secret = config::read_secret(ref);
    if (!secret) chart.bad("secrets", key + ": " + secret.error().message);
    good += secret ? 1 : 0;
  }
  if (good == secrets.size()) {
    chart.ok("secrets", good == 0 ? std::string("none is needed")
                                  : fmt::format("all {} can be read, and by nobody else", good));
  }
}

// On a thread and a connection of its own: a large file takes a while.
std::string damage_in(const std::string& state_dir) {
  auto stores = storage::Stores::open_reader(state_dir);
  if (!stores) return stores.error().message;
  return storage::damage_of((*stores)->database(), storage::Depth::quick);
}

}  // namespace

asio::awaitable<Answer> examine(Desk& desk, Call) {
  Chart chart;
  look_at_self(desk.parts, chart);
  look_at_queues(desk, chart);
  look_at_sources(desk, chart);
  look_at_silences(desk.parts, chart);
  look_at_sinks(desk, chart);
  look_at_files(desk.parts, chart);
  auto work = [state_dir = desk.parts.state_dir] { return damage_in(state_dir); };
  auto looking = on_pool(desk.long_reads().get_executor(), desk.parts.executor, std::move(work));
  const std::string damage = co_await std::move(looking);
  if (damage.empty()) {
    chart.ok("database", "passes SQLite's quick_check");
  } else {
    chart.bad("database", damage + ": vigilctl backup restore FILE, with the daemon stopped");
  }
  co_return json_response(json::object{{"checks", std::move(chart.rows)}});
}

asio::awaitable<Answer> leave_safe_mode(Desk& desk, Call call) {
  if (!desk.parts.leave_safe_mode) co_return refuse(409, "it is not in safe mode", "nothing to do");
  auto leaving = desk.parts.leave_safe_mode();
  Result<void> left = co_await std::move(leaving);
  if (!left) co_return refuse(left.error());
  log_info("safe mode was left by a person: uid={}", call.request.peer.uid);
  co_return json_response(json::object{{"status", "left"}});
}

}  // namespace vigil::admin
