// Looks at what the daemon stands on and says, for each thing that is wrong, what to do.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>

#include "config/load.hpp"
#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

enum class Finding { ok, warn, bad };

class Examination {
 public:
  void add(Finding finding, std::string name, std::string text) {
    const char* const word = finding == Finding::ok     ? "ok"
                             : finding == Finding::warn ? "warn"
                                                        : "bad";
    rows_.push_back(json::object{{"finding", word}, {"check", name}, {"text", text}});
    if (finding == Finding::bad) ++bad_;
  }
  int bad() const { return bad_; }
  // As the daemon found it.
  void take(const json::value& row) {
    const auto finding = text_at(row, "finding");
    add(finding == "bad"    ? Finding::bad
        : finding == "warn" ? Finding::warn
                            : Finding::ok,
        text_at(row, "check"), text_at(row, "text"));
  }
  json::value answer() const { return json::object{{"ok", bad_ == 0}, {"checks", rows_}}; }

 private:
  json::array rows_;
  int bad_ = 0;
};

std::string doctor_page(const json::value& answer, const Style& style) {
  std::string out;
  for (const auto& row : array_at(answer, "checks")) {
    const auto finding = text_at(row, "finding");
    const auto tone = finding == "ok" ? Tone::good : finding == "warn" ? Tone::warn : Tone::bad;
    out += toned(fmt::format("{:<5}", finding), tone, style) +
           fmt::format("{:<12} ", text_at(row, "check")) + text_at(row, "text") + "\n";
  }
  return out;
}

std::optional<json::value> ask(const Session& session, const std::string& target) {
  const auto reply = session.client.ask("GET", target, {}, std::chrono::seconds{10});
  if (!reply || reply->status >= 400) return std::nullopt;
  auto answer = parse_json(reply->body);
  if (!answer) return std::nullopt;
  return std::move(*answer);
}

void look_at_daemon(const Session& session, const json::value& status, Examination& out) {
  const auto version = text_at(status, "version");
  out.add(Finding::ok, "daemon",
          fmt::format("answers at {}, pid {}, up {}", session.client.path(),
                      number_at(status, "pid"), duration_at(status, "uptime_us")));
  if (version == VIGIL_VERSION) {
    out.add(Finding::ok, "versions", "vigild and vigilctl are both " + version);
  } else {
    out.add(Finding::warn, "versions",
            fmt::format("vigild is {}, vigilctl is {}: restart the daemon after an update", version,
                        VIGIL_VERSION));
  }
  const bool accepting = find_bool(status, "accepting").value_or(false);
  if (find_bool(status, "writer.disk_full").value_or(false)) {
    out.add(Finding::bad, "accepting", "the disk is full: free space in the state directory");
  } else if (!accepting) {
    out.add(Finding::bad, "accepting", "events are refused: look at the daemon's log");
  } else {
    out.add(Finding::ok, "accepting", "events are accepted");
  }
  if (const auto dead = number_at(status, "runtime.wakes_dead"); dead > 0) {
    out.add(Finding::warn, "dead letters",
            count_text(dead, "wake") + " could not be decided: vigilctl dead list");
  } else {
    out.add(Finding::ok, "dead letters", "none");
  }
  if (const auto unknown = number_at(status, "actions.unknown"); unknown > 0) {
    out.add(Finding::warn, "actions",
            count_text(unknown, "action") +
                " may or may not have happened: vigilctl actions list "
                "--state unknown; approve sends one again");
  } else {
    out.add(Finding::ok, "actions", "none with an unknown outcome");
  }
}

void look_at_clock(const std::optional<json::value>& status, Examination& out) {
  using namespace std::chrono_literals;
  timex clock{};
  const int state = ::adjtimex(&clock);
  const bool unsynchronised = state < 0 || (clock.status & STA_UNSYNC) != 0;
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  if (status) {
    const auto theirs = parse_rfc3339(find_text(*status, "now").value_or(""));
    if (theirs && (*theirs > now + 5s || *theirs < now - 5s)) {
      out.add(Finding::warn, "clock",
              fmt::format("the daemon's clock shows {}, {} from here", to_rfc3339(*theirs),
                          relative(*theirs, now)));
      return;
    }
  }
  if (now < TimePoint{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}}) {
    out.add(Finding::bad, "clock", "shows " + to_rfc3339(now) + ": set it (timedatectl)");
  } else if (unsynchronised) {
    out.add(Finding::warn, "clock",
            "is not synchronised: signatures with a timestamp may be refused (timedatectl set-ntp "
            "true)");
  } else {
    out.add(Finding::ok, "clock", "synchronised");
  }
}

void look_at_disk(const std::string& folder, Examination& out) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) {
    out.add(Finding::warn, "disk", safe(folder) + " cannot be looked at from here");
    return;
  }
  const auto free =
      static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  const auto all =
      static_cast<std::int64_t>(disk.f_blocks) * static_cast<std::int64_t>(disk.f_frsize);
  const auto text = fmt::format("{} of {} free at {}", bytes_text(free), bytes_text(all), folder);
  constexpr std::int64_t low = 64 * 1024 * 1024;
  if (free < low || free < all / 20) {
    out.add(Finding::bad, "disk", text + ": events are refused below [storage] free_bytes_min");
  } else if (free < all / 10) {
    out.add(Finding::warn, "disk", text + ": shorten [storage] events_keep or add space");
  } else {
    out.add(Finding::ok, "disk", text);
  }
}

// What tasks are locked into: without it, those of containment `strict` are refused.
void look_at_containment(Examination& out) {
  constexpr unsigned ask_version = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  const long landlock = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_version);
  const bool seccomp = ::prctl(PR_GET_SECCOMP) >= 0;
  if (landlock <= 0) {
    out.add(Finding::bad, "containment",
            "the kernel has no Landlock (5.13 and later, lsm=landlock): tasks are refused unless "
            "they say sandbox = \"none\"");
  } else if (!seccomp) {
    out.add(Finding::bad, "containment", "the kernel has no seccomp: tasks are refused");
  } else {
    out.add(Finding::ok, "containment", fmt::format("Landlock {} and seccomp", landlock));
  }
}

void look_at_programs(Examination& out) {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string missing;
  for (const char* name : {"vigild", "vigil-task"}) {
    if (::access((here / name).c_str(), X_OK) != 0) missing += std::string(" ") + name;
  }
  if (missing.empty()) {
    out.add(Finding::ok, "programs", "all in " + here.string());
  } else {
    out.add(Finding::warn, "programs", "not beside vigilctl:" + missing);
  }
}

void look_at_config(const Session& session, const std::string& path, bool daemon,
                    Examination& out) {
  if (daemon && path.empty()) {
    const auto reply = session.client.ask("GET", "/v1/config/check");
    const auto answer = reply ? parse_json(reply->body) : Result<json::value>(json::value());
    if (reply && reply->status == 200) {
      out.add(Finding::ok, "config", "the files on disk would be taken");
    } else {
      out.add(
          Finding::bad, "config",
          (answer ? text_at(*answer, "error") : "it cannot be read") + ": vigilctl config check");
    }
    return;
  }
  const auto from = path.empty() ? default_config() : path;
  if (from.empty()) {
    out.add(Finding::warn, "config", "no ./vigild.toml and no /etc/vigild/vigild.toml here");
    return;
  }
  const auto result = config::load(from);
  if (const auto* wrong = std::get_if<std::vector<config::Diagnostic>>(&result)) {
    out.add(
        Finding::bad, "config",
        fmt::format("{} in {}: vigilctl config check {}",
                    count_text(static_cast<std::int64_t>(wrong->size()), "mistake"), from, from));
  } else {
    out.add(Finding::ok, "config", from);
  }
}

// What only the daemon can see; a large database takes a while.
void look_inside(const Session& session, Examination& out) {
  const auto reply = session.client.ask("GET", "/v1/doctor", {}, std::chrono::minutes{5});
  const auto answer =
      reply && reply->status == 200 ? parse_json(reply->body) : Result<json::value>(json::value());
  if (!answer || !answer->is_object()) {
    out.add(Finding::warn, "inside", "the daemon did not say how it is: is it an older version?");
    return;
  }
  for (const auto& row : array_at(*answer, "checks")) out.take(row);
}

void look_at_chains(const Session& session, Examination& out) {
  const auto reply = session.client.ask("GET", "/v1/ledger/verify", {}, std::chrono::minutes{10});
  const auto answer = reply ? parse_json(reply->body) : Result<json::value>(json::value());
  for (const auto* name : {"ledger", "audit"}) {
    if (!reply || reply->status != 200 || !answer) {
      out.add(Finding::bad, name, "it cannot be read: look at the daemon's log");
      continue;
    }
    const auto at = [&](std::string_view what) { return fmt::format("{}.{}", name, what); };
    if (const auto broken = number_at(*answer, at("broken_at")); broken > 0) {
      out.add(Finding::bad, name,
              fmt::format("row {} is not what was written: keep a copy of vigil.db and compare it "
                          "with your last backup (vigilctl backup verify)",
                          broken));
      continue;
    }
    out.add(Finding::ok, name,
            fmt::format("{} are what was written; the head of row {} is {}",
                        count_text(number_at(*answer, at("rows")), "row"),
                        number_at(*answer, at("last")), text_at(*answer, at("head"))));
  }
}

}  // namespace

int run_doctor(const Session& session, const std::string& config_path, Chains chains) {
  Examination out;
  const auto reachable = session.client.ask("GET", "/v1/status", {}, std::chrono::seconds{10});
  const auto status = reachable ? ask(session, "/v1/status") : std::nullopt;
  if (status) {
    look_at_daemon(session, *status, out);
  } else {
    out.add(Finding::bad, "daemon",
            reachable ? fmt::format("answered {}", reachable->status) : reachable.error().message);
  }
  look_at_disk(status ? std::string(find_text(*status, "state_dir").value_or(".")) : ".", out);
  look_at_clock(status, out);
  look_at_containment(out);
  look_at_programs(out);
  look_at_config(session, config_path, status.has_value(), out);
  if (status) look_inside(session, out);
  if (chains == Chains::read && status) look_at_chains(session, out);
  const auto answer = out.answer();
  print(session.output == Output::json ? session.json_text(answer)
                                       : doctor_page(answer, session.style));
  if (!reachable) return exit_unreachable;
  return out.bad() == 0 ? exit_ok : exit_failed;
}

}  // namespace vigil::ctl
