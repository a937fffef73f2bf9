#include "entities/ops/probe.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/ops/fetch.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t targets_max = 200;

struct Expectation {
  int status_from = 200;
  int status_to = 399;
  std::string body;  // a regular expression that is found in it; empty: any body
};

// "200", "200-204"
Result<Expectation> expectation_of(const json::value& input) {
  Expectation out;
  const auto* status = find_path(input, "status");
  if (status != nullptr) {
    const auto text =
        status->is_string() ? std::string(status->get_string()) : vigil::to_text(*status);
    static const RE2 form(R"(([1-5]\d\d)(?:-([1-5]\d\d))?)");
    std::string to;
    if (!RE2::FullMatch(text, form, &out.status_from, &to)) {
      return fail(ErrorCode::invalid_input, "status: expected one such as 200, or 200-299");
    }
    out.status_to = to.empty() ? out.status_from : std::stoi(to);
  }
  out.body = text_in(input, "match", "");
  if (!out.body.empty() && !RE2(out.body, RE2::Quiet).ok()) {
    return fail(ErrorCode::invalid_input, "match: expected a regular expression");
  }
  return out;
}

// "https://host/path", "http://...", "tcp://host:port", "tls://host:port"
Result<Ask> ask_of(const std::string& target) {
  Ask ask;
  ask.url = target;
  if (target.starts_with("http://") || target.starts_with("https://")) return ask;
  const bool secure = target.starts_with("tls://");
  const auto rest = target.starts_with("tcp://") || secure ? target.substr(6) : std::string();
  static const RE2 place(R"((\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5})");
  if (!RE2::FullMatch(rest, place)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("targets: {} is none of https://HOST/PATH, http://HOST/PATH, "
                            "tcp://HOST:PORT, tls://HOST:PORT",
                            quoted(target)));
  }
  ask.url = (secure ? "https://" : "http://") + rest;
  ask.only_connect = true;
  return ask;
}

double seconds(Duration time) { return static_cast<double>(time.count()) / 1e6; }

void tell(const std::string& target, const Ask& ask, const Told& told, const Expectation& wanted,
          TimePoint now, Readings& out) {
  const Labels labels{{"target", target}};
  std::string why = told.error;
  if (why.empty() && !ask.only_connect) {
    if (told.status < wanted.status_from || told.status > wanted.status_to) {
      why = fmt::format("it answers {}", told.status);
    } else if (!wanted.body.empty() && !RE2::PartialMatch(told.body, wanted.body)) {
      why = fmt::format("what it answers does not hold {}", quoted(wanted.body));
    }
  }
  out.add("probe.up", why.empty() ? 1 : 0, "", labels);
  if (!why.empty()) out.problem(fmt::format("{}: {}", target, why));
  if (told.error.empty()) {
    out.add("probe.seconds",
            seconds(ask.only_connect ? std::max(told.connected, told.secured) : told.whole),
            "seconds", labels);
  }
  if (told.status > 0) out.add("probe.status", told.status, "", labels);
  if (told.certificate_until) {
    const auto left = *told.certificate_until - now;
    out.add("certificate.days", seconds(std::chrono::duration_cast<Duration>(left)) / 86400, "days",
            labels);
    out.add("certificate.trusted", told.distrusted ? 0 : 1, "", labels);
  }
  for (const auto& [phase, time] : {std::pair<const char*, Duration>{"look_up", told.look_up},
                                    {"connected", told.connected},
                                    {"secured", told.secured},
                                    {"first_byte", told.first_byte}}) {
    if (time <= Duration::zero()) continue;
    auto own = labels;
    own.emplace("phase", phase);
    out.add("probe.phase", seconds(time), "seconds", own);
  }
}

}  // namespace

Result<json::value> run_probe(const Request& request) {
  if (auto known = known_members(request.input,
                                 {"targets", "status", "match", "timeout", "ca_file", "follow"});
      !known) {
    return std::unexpected(known.error());
  }
  auto targets = texts_in(request.input, "targets");
  if (!targets) return std::unexpected(targets.error());
  const auto words = texts_in(request.input, "files");  // by hand: the words of the line
  if (words) targets->insert(targets->end(), words->begin(), words->end());
  if (targets->empty() || targets->size() > targets_max) {
    return fail(ErrorCode::invalid_input,
                fmt::format("targets: name 1 to {}, such as https://example.org/health or "
                            "tcp://db:5432",
                            targets_max));
  }
  const auto wanted = expectation_of(request.input);
  if (!wanted) return std::unexpected(wanted.error());
  const auto timeout = time_in(request.input, "timeout", 5s);
  if (!timeout) return std::unexpected(timeout.error());
  const auto follow = flag_in(request.input, "follow", true);
  if (!follow) return std::unexpected(follow.error());
  std::vector<Ask> all;
  for (const auto& target : *targets) {
    auto ask = ask_of(target);
    if (!ask) return std::unexpected(ask.error());
    ask->timeout = *timeout;
    ask->follow = *follow;
    ask->ca_file = text_in(request.input, "ca_file", "");
    all.push_back(std::move(*ask));
  }
  const auto told = ask_all(all);
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  Readings readings;
  for (std::size_t i = 0; i < all.size(); ++i) {
    tell((*targets)[i], all[i], told[i], *wanted, now, readings);
  }
  return json::value(readings.to_json());
}

}  // namespace vigil::entities::ops
