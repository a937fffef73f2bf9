#include "daemon/delivery/conclusion.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/digest.hpp"

namespace vigil::delivery {
namespace {

constexpr std::string_view lost =
    "; whether it arrived is not known: look, then approve it again "
    "(vigilctl actions approve) or leave it";

Conclusion settled(std::string state, std::string error) {
  Conclusion out;
  out.state = std::move(state);
  out.error = std::move(error);
  return out;
}

}  // namespace

Duration pause_after(const std::string& key, int attempts) {
  Duration pause = pause_least;
  for (int i = 1; i < attempts && pause < pause_most; ++i) pause *= 4;
  pause = std::min(pause, pause_most);
  const auto digest = sha256(fmt::format("{}#{}", key, attempts));
  return pause + pause * digest[0] / 1024;
}

Conclusion conclude(const storage::Action& action, Repeat repeat, const Outcome& outcome,
                    TimePoint now) {
  using Fate = Outcome::Fate;
  if (outcome.fate == Fate::delivered) {
    auto out = settled("delivered", "");
    out.result = outcome.result;
    return out;
  }
  if (outcome.fate == Fate::failed) return settled("failed", outcome.error);
  if (outcome.fate == Fate::unanswered && repeat == Repeat::dangerous) {
    return settled("unknown", outcome.error + std::string(lost));
  }
  if (action.attempts >= attempts_max) {
    return settled("failed",
                   fmt::format("given up after {} attempts: {}", action.attempts, outcome.error));
  }
  Conclusion out;
  out.error = outcome.error;
  out.not_before = now + pause_after(action.key, action.attempts);
  if (outcome.not_for) {
    out.not_before = std::max(out.not_before, now + std::min(*outcome.not_for, asked_pause_most));
  }
  return out;
}

Conclusion conclude_interrupted(const storage::Action& action, Repeat repeat, TimePoint now) {
  const std::string why = "the daemon ended before the answer came";
  if (repeat == Repeat::dangerous) return settled("unknown", why + std::string(lost));
  // An action that ends the daemon each time must not do so for ever.
  if (action.attempts >= attempts_max) {
    return settled("failed", fmt::format("given up after {} attempts: {}", action.attempts, why));
  }
  Conclusion out;
  out.error = why;
  out.not_before = now;
  return out;
}

Conclusion conclude_sinkless(const storage::Action& action) {
  return settled("failed", fmt::format("there is no sink \"{}\" in the configuration: add "
                                       "[sink.{}] and approve the action again",
                                       action.sink, action.sink));
}

std::optional<storage::Settled> write(storage::Stores& stores, ActionId id,
                                      const Conclusion& conclusion, TimePoint now) {
  if (!conclusion.state.empty()) {
    return storage::settle_and_wake(stores, id, conclusion.state, conclusion.result,
                                    conclusion.error, now);
  }
  stores.outbox.retry(id, conclusion.not_before, conclusion.error);
  return std::nullopt;
}

}  // namespace vigil::delivery
