#include "entities/codebase/announce.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t description_bytes_max = 140;  // what forges show of a status

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

json::object about(const CaseState& state) {
  json::object payload{{"repository", state.repository}};
  if (state.number > 0) payload["number"] = state.number;
  if (!state.branch.empty()) payload["branch"] = state.branch;
  return payload;
}

}  // namespace

bool has_status(const ReviewSetup& setup, const CaseState& state) {
  return !setup.settings.status_sink.empty() && !state.head.empty();
}

Action status_action(const ReviewSetup& setup, const CaseState& state, std::string_view word,
                     std::string description) {
  Action action;
  action.kind = "status";
  action.sink = setup.settings.status_sink;
  action.sticky_key = "status:" + state.head;
  action.payload = about(state);
  action.payload["sha"] = state.head;
  action.payload["state"] = word;
  action.payload["description"] = one_line(description, description_bytes_max - 4);
  action.payload["text"] =
      fmt::format("{} at {}: {} ({})", state.name(), brief(state.head), word, description);
  return action;
}

std::string_view verdict_of(const Review& review) {
  if (!review.as_asked) return "error";
  if (count_of(review, Severity::high) > 0) return "failure";
  return review.not_done.empty() ? "success" : "error";
}

Action comment_action(const ReviewSetup& setup, const CaseState& state, const Review& review,
                      const Progress& progress) {
  Action action;
  action.kind = "comment";
  action.sink = setup.settings.report_sink;
  action.sticky_key = "review";
  action.payload = about(state);
  if (state.number > 0) {
    action.payload["head"] = review.head;
  } else {
    // A push has no thread to comment in: where comments go to a forge, its commit is marked.
    action.payload["sha"] = state.head.empty() ? review.head : state.head;
    action.payload["state"] = verdict_of(review);
    action.payload["description"] = counts_text(review.findings);
  }
  action.payload["body"] = to_markdown(review, progress);
  action.payload["text"] = fmt::format("{}: {}", state.name(), to_terminal(review));
  json::array keys;
  for (const auto& finding : review.findings) keys.emplace_back(finding.key);
  action.payload["findings"] = std::move(keys);
  return action;
}

}  // namespace vigil::entities::codebase
