#include "daemon/admin/metrics.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "daemon/admin/handlers.hpp"

namespace vigil::admin {
namespace {

double as_double(std::uint64_t value) { return static_cast<double>(value); }
double as_double(std::int64_t value) { return static_cast<double>(value); }

void add_runtime(Exposition& out, const runtime::Status& status) {
  out.gauge("vigild_entities", "Entities in the configuration.", status.entities);
  out.gauge("vigild_entities_paused", "Entities paused by a person.", status.entities_paused);
  out.gauge("vigild_events_unrouted", "Events accepted and not yet routed.",
            as_double(status.unrouted));
  out.gauge("vigild_wakes_open", "Wakes routed and not yet decided.", as_double(status.wakes_open));
  out.gauge("vigild_wakes_dead", "Wakes that could not be decided (dead letters).",
            as_double(status.wakes_dead));
  out.gauge("vigild_swarms_running", "Swarms running now.", status.swarms_running);
  out.gauge("vigild_tasks_running", "Tasks of swarms running now.", status.tasks_running);
  out.counter("vigild_events_routed_total", "Events routed since the start.",
              as_double(status.events_routed));
  out.counter("vigild_decisions_total", "Decisions committed since the start.",
              as_double(status.decisions));
  out.counter("vigild_decisions_failed_total", "Decisions that failed since the start.",
              as_double(status.decisions_failed));
}

void add_door(Exposition& out, const Parts& parts) {
  const auto door = parts.door.stats();
  out.family("vigild_door_requests_total", Exposition::Type::counter,
             "Webhook deliveries by what became of them.");
  out.sample(as_double(door.accepted), label("outcome", "accepted"));
  out.sample(as_double(door.duplicates), label("outcome", "duplicate"));
  out.sample(as_double(door.refused), label("outcome", "refused"));
  out.sample(as_double(door.unavailable), label("outcome", "unavailable"));
  if (parts.webhooks == nullptr) return;
  const auto http = parts.webhooks->stats();
  out.gauge("vigild_http_connections", "Open connections at the webhook door.", http.connections);
  out.counter("vigild_http_connections_total", "Connections accepted at the webhook door.",
              as_double(http.accepted));
  out.counter("vigild_http_requests_total", "Requests read at the webhook door.",
              as_double(http.requests));
  out.counter("vigild_http_refused_framing_total", "Requests the head gate refused.",
              as_double(http.refused_framing));
  out.counter("vigild_http_timed_out_total", "Connections cut because they were too slow.",
              as_double(http.timed_out));
  out.counter("vigild_http_evicted_total", "Connections cut to have room for others.",
              as_double(http.evicted));
}

void add_delivery(Exposition& out, const Parts& parts, storage::Stores& stores) {
  const auto courier = parts.courier.stats();
  out.family("vigild_actions_total", Exposition::Type::counter,
             "Actions settled by the courier, by outcome.");
  out.sample(as_double(courier.delivered), label("outcome", "delivered"));
  out.sample(as_double(courier.failed), label("outcome", "failed"));
  out.sample(as_double(courier.unknown), label("outcome", "unknown"));
  out.counter("vigild_action_retries_total", "Deliveries that were tried again.",
              as_double(courier.retried));
  out.gauge("vigild_actions_proposed", "Actions that wait for a person.",
            as_double(stores.outbox.count_in_state("proposed")));
}

void add_writer(Exposition& out, const Parts& parts) {
  const auto writer = parts.writer.stats();
  out.counter("vigild_writer_changes_total", "Changes committed.", as_double(writer.changes));
  out.counter("vigild_writer_commits_total", "Groups the changes were committed in.",
              as_double(writer.commits));
  out.counter("vigild_writer_checkpoints_total", "Checkpoints of the write-ahead log.",
              as_double(writer.checkpoints));
  out.counter("vigild_writer_failed_total", "Changes that failed.", as_double(writer.failed));
  out.gauge("vigild_writer_queued", "Changes that wait for the writer.",
            as_double(parts.writer.queued()));
  out.gauge("vigild_disk_full", "1 while changes are refused because the disk is full.",
            writer.full ? 1 : 0);
  out.gauge("vigild_accepting", "1 while events would be accepted.",
            parts.writer.accepting() ? 1 : 0);
}

void add_self(Exposition& out, const Parts& parts) {
  const auto self = parts.self();
  const auto seconds = [](Duration time) { return static_cast<double>(time.count()) / 1e6; };
  out.counter("vigild_loop_held_total", "Times the loop was held for longer than stall_after.",
              as_double(self.loop.held));
  out.counter("vigild_loop_held_seconds_total", "How long it was, together.",
              seconds(self.loop.held_for));
  out.gauge("vigild_loop_held_seconds_max", "The longest time a handler took since the start.",
            seconds(self.loop.longest));
  out.gauge("vigild_safe_mode", "1 in safe mode: events are stored, nothing is decided.",
            self.safe_mode.empty() ? 0 : 1);
  out.gauge("vigild_last_good_config", "1 while the last good configuration stands in.",
            self.config_trouble.empty() ? 0 : 1);
  if (parts.silences == nullptr) return;
  const auto views = parts.silences->views();
  out.gauge("vigild_silent", "Sources and entities with expect_every that are silent.",
            static_cast<double>(std::ranges::count_if(views, &ingress::Silences::View::silent)));
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                       type == Type::counter ? "counter" : "gauge");
}

void Exposition::sample(double value, std::string_view labels) {
  // Whole numbers without an exponent: people read this too.
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  const auto number = whole ? fmt::format("{:.0f}", value) : fmt::format("{}", value);
  text_ += labels.empty() ? fmt::format("{} {}\n", name_, number)
                          : fmt::format("{}{{{}}} {}\n", name_, labels, number);
}

void Exposition::counter(std::string_view name, std::string_view help, double value) {
  family(name, Type::counter, help);
  sample(value);
}

void Exposition::gauge(std::string_view name, std::string_view help, double value) {
  family(name, Type::gauge, help);
  sample(value);
}

std::string label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

ProcessNumbers read_process_numbers() {
  ProcessNumbers out;
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  if (statm >> pages >> pages) out.rss_bytes = pages * ::sysconf(_SC_PAGESIZE);
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++out.open_fds;
  }
  if (out.open_fds > 0) --out.open_fds;  // the one that reads the directory
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return out;
}

Answer get_metrics(Desk& desk, const Call&) {
  const auto& parts = desk.parts;
  Exposition out;
  out.family("vigild_build_info", Exposition::Type::gauge, "Always 1; the version as a label.");
  out.sample(1, label("version", version()));
  out.gauge("process_start_time_seconds", "When the daemon started, in seconds since 1970.",
            as_double(to_unix_us(parts.started)) / 1e6);
  const auto process = read_process_numbers();
  out.gauge("process_resident_memory_bytes", "Resident memory.", as_double(process.rss_bytes));
  out.gauge("process_open_fds", "Open file descriptors.", as_double(process.open_fds));
  out.counter("process_cpu_seconds_total", "Processor time, user and system.", process.cpu_seconds);
  add_runtime(out, parts.runtime.status());
  add_door(out, parts);
  add_delivery(out, parts, desk.reader());
  add_writer(out, parts);
  add_self(out, parts);
  ingress::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = out.take();
  return response;
}

}  // namespace vigil::admin
