#include "entities/comms/look_at_triage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/log.hpp"
#include "entities/comms/look_at_mail.hpp"
#include "entities/comms/triage.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::comms {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t model_bytes_max = 256 * 1024 * 1024;

// One run at a time between reading and writing. The lock goes with the process at the latest.
class Lock {
 public:
  static Result<Lock> take(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("file: cannot write {}: {}; name one in a folder that is there and "
                              "may be written",
                              vigil::quoted(path), std::strerror(errno)));
    }
    Lock lock(fd);
    while (::flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return fail(ErrorCode::busy, "file: cannot be locked");
    }
    return lock;
  }
  Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

Result<Triage> load(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error) || fs::file_size(path, error) == 0) return Triage{};
  const auto bytes = ops::read_bounded(path, model_bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  auto triage = Triage::read(*bytes, Triage::Limits{});
  if (!triage) {
    return fail(triage.error().code,
                fmt::format("file: {}: {}", vigil::quoted(path), triage.error().message));
  }
  return triage;
}

// The old file stays until the new one is whole.
Result<void> save(const std::string& path, const Triage& triage) {
  const auto beside = fmt::format("{}.{}.new", path, ::getpid());
  std::error_code error;
  {
    std::ofstream file(beside, std::ios::binary);
    file << triage.write();
    file.flush();
    if (!file) {
      fs::remove(beside, error);  // the message below tells what matters
      return fail(ErrorCode::full, fmt::format("file: cannot write {}", vigil::quoted(beside)));
    }
  }
  fs::permissions(beside, fs::perms::owner_read | fs::perms::owner_write, error);
  fs::rename(beside, path, error);
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("file: {}: {}", vigil::quoted(path), error.message()));
  }
  return {};
}

struct Example {
  std::string id;
  std::string features;
  std::string subject;
};

Result<std::vector<Example>> examples_in(const Request& request) {
  std::vector<Example> out;
  if (const auto features = find_text(request.input, "features")) {
    out.push_back({ops::text_in(request.input, "id", ""), std::string(*features), {}});
    return out;
  }
  const auto files = ops::texts_in(request.input, "files");
  if (!files) return std::unexpected(files.error());
  for (const auto& path : *files) {
    const auto bytes = ops::read_bounded(path, 64 * 1024 * 1024);
    if (!bytes) return std::unexpected(bytes.error());
    const auto facts = json::value(facts_of(read_mail(*bytes)));
    out.push_back({std::string(find_text(facts, "message_id").value_or("")),
                   std::string(find_text(facts, "features").value_or("")),
                   std::string(find_text(facts, "subject").value_or(""))});
  }
  return out;
}

json::array told(const std::vector<Triage::Told>& words) {
  json::array out;
  for (const auto& one : words) {
    out.push_back(json::object{{"word", to_valid_utf8(one.word)}, {"share", one.share}});
  }
  return out;
}

json::object told(const Triage::Verdict& verdict) {
  json::object all;
  for (const auto& [name, sure] : verdict.all) all[name] = sure;
  return {{"class", verdict.of_class},
          {"sure", verdict.sure},
          {"classes", std::move(all)},
          {"for", told(verdict.for_it)},
          {"against", told(verdict.against_it)}};
}

std::string for_people(const Example& example, const Triage::Verdict& verdict) {
  if (verdict.of_class.empty()) return "nothing was learned yet: --learn CLASS FILE...\n";
  auto out = fmt::format("{}: {} ({:.1f} %)\n", vigil::quoted(example.subject), verdict.of_class,
                         100 * verdict.sure);
  const auto list = [&](std::string_view name, const std::vector<Triage::Told>& words) {
    for (const auto& one : words) {
      out += fmt::format("  {:<8} {:>5.1f} %  {}\n", name, 100 * one.share, one.word);
    }
  };
  list("for", verdict.for_it);
  list("against", verdict.against_it);
  return out;
}

std::string state_text(const Triage& triage) {
  std::string out;
  for (const auto& [name, count] : triage.messages()) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, name);
  }
  return fmt::format("{} words of {}", triage.words(), out.empty() ? "no mail" : out);
}

Result<json::value> change(const std::string& path, const std::vector<Example>& examples,
                           const std::string& of_class) {
  const auto lock = Lock::take(path + ".lock");
  if (!lock) return std::unexpected(lock.error());
  auto triage = load(path);
  if (!triage) return std::unexpected(triage.error());
  int changed = 0;
  for (const auto& one : examples) {
    if (one.id.empty()) return fail(ErrorCode::invalid_input, "id: expected text, it is missing");
    const auto before = triage->class_of(one.id);
    if (of_class.empty()) {
      changed += triage->unlearn(one.id, one.features) ? 1 : 0;
      continue;
    }
    if (auto learned = triage->learn(one.id, one.features, of_class); !learned) {
      return std::unexpected(learned.error());
    }
    changed += before == of_class ? 0 : 1;
  }
  if (changed > 0) {
    if (auto saved = save(path, *triage); !saved) return std::unexpected(saved.error());
  }
  const auto summary =
      fmt::format("{} of {} {}; {}", changed, examples.size(),
                  of_class.empty() ? "undone" : "learned as " + of_class, state_text(*triage));
  return json::value(
      json::object{{"changed", changed}, {"summary", summary}, {"text", summary + "\n"}});
}

}  // namespace

Result<json::value> look_at_triage(const Request& request) {
  if (auto known =
          ops::known_members(request.input, {"file", "learn", "unlearn", "features", "id"});
      !known) {
    return std::unexpected(known.error());
  }
  const auto path = ops::text_in(request.input, "file", "");
  if (path.empty()) return fail(ErrorCode::invalid_input, "file: where what is learned is kept");
  const auto examples = examples_in(request);
  if (!examples) return std::unexpected(examples.error());
  const auto of_class = ops::text_in(request.input, "learn", "");
  const auto undo = ops::flag_in(request.input, "unlearn", false);
  if (!undo) return std::unexpected(undo.error());
  if (*undo || !of_class.empty()) return change(path, *examples, *undo ? "" : of_class);
  const auto triage = load(path);
  if (!triage) return std::unexpected(triage.error());
  if (examples->empty()) {
    const auto text = state_text(*triage);
    return json::value(json::object{{"summary", text}, {"text", text + "\n"}});
  }
  json::array all;
  std::string text;
  for (const auto& one : *examples) {
    const auto verdict = triage->classify(one.features);
    auto entry = told(verdict);
    entry["id"] = one.id;
    all.push_back(std::move(entry));
    text += for_people(one, verdict);
  }
  return json::value(json::object{{"mails", std::move(all)}, {"text", std::move(text)}});
}

}  // namespace vigil::entities::comms
