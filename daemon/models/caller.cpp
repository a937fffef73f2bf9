#include "daemon/models/caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "core/log.hpp"
#include "daemon/models/dialect.hpp"
#include "daemon/models/price.hpp"
#include "daemon/models/rate_headers.hpp"

namespace vigil::models {
namespace asio = boost::asio;
namespace {

constexpr Duration first_pause = std::chrono::milliseconds{500};
constexpr Duration pause_max = std::chrono::minutes{1};

// Of one exchange.
struct Outcome {
  Said said;
  std::string error;  // empty: it is an answer
  ErrorCode code = ErrorCode::unavailable;
  bool later = true;  // it may be better then
  Duration wait{0};   // the API asked for that
};

// 529 is Anthropic's "overloaded".
bool is_for_later(int status) {
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

std::string told(int status, std::string_view body, const std::string& model) {
  const auto why = error_text(body);
  if (status == 401 || status == 403) {
    return fmt::format("the API of model '{}' refuses the key (status {}): {}", model, status, why);
  }
  if (status == 404) {
    return fmt::format(
        "the API of model '{}' does not know it (status 404): check url and model; "
        "it says {}",
        model, why);
  }
  return fmt::format("model '{}' answered with status {}: {}", model, status, why);
}

std::int64_t tokens_of(const Prompt& prompt) {
  auto sum = estimated_tokens(prompt.system) + 20;
  for (const auto& turn : prompt.turns) {
    sum += estimated_tokens(turn.text) + 10;
    for (const auto& call : turn.calls) sum += estimated_tokens(call.arguments) + 10;
  }
  for (const auto& tool : prompt.tools) {
    sum += estimated_tokens(tool.description) + 20 +
           estimated_tokens(to_text(json::value(tool.parameters)));
  }
  return sum + estimated_tokens(to_text(json::value(prompt.schema)));
}

// Of a call: what the longest answer would take.
Taken most_of(const config::Model& model, std::int64_t input, std::int64_t output) {
  Usage usage;
  usage.input = input;
  usage.output = output;
  return {1, usage.sum(), money_micros(usage, model.price)};
}

// Some APIs repeat the key they refuse.
void hide(std::string& text, std::string_view key) {
  if (key.size() < 4) return;
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
    text.replace(at, key.size(), "[key]");
  }
}

}  // namespace

struct Caller::Entry {
  Entry(asio::any_io_executor executor, Clock& clock, config::Model of, config::Secret secret)
      : settings(std::move(of)),
        key(std::move(secret)),
        gate(std::move(executor), clock, limits()) {}

  GateLimits limits() const {
    return {settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute};
  }

  config::Model settings;
  config::Secret key;
  Gate gate;
};

struct Caller::State {
  asio::awaitable<Outcome> exchange(std::shared_ptr<Entry> entry, Prompt prompt, TimePoint deadline,
                                    Spent spent);
  asio::awaitable<Outcome> try_once(std::shared_ptr<Entry> entry, Prompt prompt,
                                    std::int64_t tokens, TimePoint deadline, Spent spent);
  http::Request request_of(const Entry& entry, const Prompt& prompt, TimePoint deadline) const;

  asio::any_io_executor executor;
  Clock& clock;
  Perform perform;
  std::map<std::string, std::shared_ptr<Entry>> models;
  DayLimits days;
};

Caller::Caller(asio::any_io_executor executor, Clock& clock, Perform perform)
    : state_(new State{std::move(executor), clock, std::move(perform), {}, {}}) {}
Caller::~Caller() = default;

void Caller::keep(Books books) { state_->days.keep(std::move(books)); }
std::map<std::string, Taken> Caller::reserved() const { return state_->days.reserved(); }

Result<void> Caller::apply(const config::Settings& settings) {
  std::map<std::string, std::shared_ptr<Entry>> fresh;
  for (const auto& [name, model] : settings.models) {
    config::Secret key;
    if (model.key) {
      auto read = config::read_secret(*model.key);
      if (!read) {
        return fail(read.error().code, fmt::format("model.{}.key: {}", name, read.error().message));
      }
      key = std::move(*read);
    }
    fresh.emplace(name,
                  std::make_shared<Entry>(state_->executor, state_->clock, model, std::move(key)));
  }
  // Whoever waits at an old gate goes on there; what the API asked for holds for the new one.
  state_->models = std::move(fresh);
  return {};
}

const config::Model* Caller::find(const std::string& model) const {
  const auto found = state_->models.find(model);
  return found == state_->models.end() ? nullptr : &found->second->settings;
}

int Caller::waiting() const {
  int sum = 0;
  for (const auto& [name, entry] : state_->models) sum += entry->gate.waiting();
  return sum;
}

http::Request Caller::State::request_of(const Entry& entry, const Prompt& prompt,
                                        TimePoint deadline) const {
  const auto& dialect = dialect_of(entry.settings.api);
  http::Request out;
  out.url = dialect.url(entry.settings);
  out.configured = entry.settings.url;
  out.secret = entry.key.reveal();
  out.headers = dialect.headers(entry.key.reveal());
  out.headers.emplace_back("Content-Type", "application/json");
  out.headers.emplace_back("Accept", "text/event-stream");
  for (const auto& [name, value] : entry.settings.headers) out.headers.emplace_back(name, value);
  out.body = to_text(json::value(dialect.body(entry.settings, prompt)));
  out.deadline = std::min(deadline, clock.now() + entry.settings.timeout);
  out.silence_max = entry.settings.stall;
  return out;
}

asio::awaitable<Outcome> Caller::State::exchange(std::shared_ptr<Entry> entry, Prompt prompt,
                                                 TimePoint deadline, Spent spent) {
  const std::shared_ptr<Listener> listener = dialect_of(entry->settings.api).listen(prompt);
  auto request = request_of(*entry, prompt, deadline);
  bool began = false;
  request.heard = [listener, &began](std::string_view bytes) {
    began = true;
    return listener->take(bytes);
  };
  // On every way out, cancellation included: what was begun is paid for.
  struct Bill {
    std::function<void()> pay;
    ~Bill() { pay(); }
  };
  const Bill bill{[&] {
    if (!began || !spent) return;
    const auto said = listener->said();
    auto usage = said.usage;
    if (!usage.told) {
      usage.input = tokens_of(prompt);
      usage.output = estimated_tokens(said.text);
    }
    spent(entry->settings.name, usage, money_micros(usage, entry->settings.price));
  }};
  auto performing = perform(std::move(request));
  http::Received answer = co_await std::move(performing);
  Outcome out;
  if (!answer) {
    out.error = fmt::format("model '{}': {}", entry->settings.name, answer.error().error.message);
    out.code = answer.error().error.code;
    out.later = answer.error().worth_retrying;
    co_return out;
  }
  const auto limits = rate_limits_of(*answer, clock.now());
  if (limits.closed_until) entry->gate.close_until(*limits.closed_until);
  if (!answer->ok()) {
    out.error = told(answer->status, answer->body, entry->settings.name);
    out.later = is_for_later(answer->status);
    out.code = out.later ? ErrorCode::busy : ErrorCode::invalid_input;
    out.wait = http::retry_after(*answer, clock.now()).value_or(Duration{0});
    co_return out;
  }
  out.said = listener->said();
  if (out.said.end == End::none) {
    const auto& why = out.said.error;
    out.error = fmt::format("model '{}': {}", entry->settings.name,
                            why.empty() ? "the answer is empty" : why);
  }
  co_return out;
}

// In its turn; others need not wait while we pause.
asio::awaitable<Outcome> Caller::State::try_once(std::shared_ptr<Entry> entry, Prompt prompt,
                                                 std::int64_t tokens, TimePoint deadline,
                                                 Spent spent) {
  const auto most = most_of(entry->settings, tokens, prompt.output_tokens_max);
  Outcome out;
  if (auto refused = days.refusal(entry->settings, most, clock.now()); !refused.empty()) {
    out.error = fmt::format("model '{}': {}", entry->settings.name, refused);
    out.code = ErrorCode::busy;
    out.later = false;
    co_return out;
  }
  const auto booking = days.book(entry->settings, most, clock.now());
  auto entering = entry->gate.enter(tokens + prompt.output_tokens_max, deadline);
  Result<Gate::Pass> pass = co_await std::move(entering);
  if (!pass) {
    out.error = fmt::format("model '{}': {}", entry->settings.name, pass.error().message);
    out.code = pass.error().code;
    co_return out;
  }
  booking->took.requests = 1;
  auto counted = [took = &booking->took, &spent](const std::string& name, const Usage& usage,
                                                 std::int64_t micros) {
    took->tokens += usage.sum();
    took->money_micros += micros;
    if (spent) spent(name, usage, micros);
  };
  auto exchanging = exchange(entry, std::move(prompt), deadline, std::move(counted));
  out = co_await std::move(exchanging);
  pass->took(booking->took.tokens);
  hide(out.error, entry->key.reveal());
  if (out.wait > Duration{0}) entry->gate.close_until(clock.now() + out.wait);
  co_return out;
}

namespace {

std::unexpected<NoAnswer> hopeless(ErrorCode code, std::string why) {
  return std::unexpected(NoAnswer{Error{code, std::move(why)}, false});
}

}  // namespace

asio::awaitable<std::expected<Said, NoAnswer>> Caller::call(std::string model, Prompt prompt,
                                                            TimePoint deadline, Spent spent) {
  const auto found = state_->models.find(model);
  if (found == state_->models.end()) {
    co_return hopeless(ErrorCode::not_found,
                       fmt::format("there is no model '{}': define [model.{}]", model, model));
  }
  const auto entry = found->second;
  const auto& settings = entry->settings;
  const auto most = static_cast<int>(std::min<std::int64_t>(settings.output_tokens_max, 1 << 30));
  prompt.output_tokens_max =
      prompt.output_tokens_max > 0 ? std::min(prompt.output_tokens_max, most) : most;
  const auto tokens = tokens_of(prompt);
  if (tokens > settings.input_tokens_max) {
    co_return hopeless(
        ErrorCode::too_large,
        fmt::format("the prompt has about {} tokens, more than model.{}.input_tokens_max", tokens,
                    model));
  }
  Duration pause = first_pause;
  for (int tries = 0;; ++tries) {
    auto trying = state_->try_once(entry, prompt, tokens, deadline, spent);
    Outcome outcome = co_await std::move(trying);
    if (outcome.error.empty()) co_return std::move(outcome.said);
    const auto wait = std::max(outcome.wait, pause);
    const bool again = outcome.later && tries < settings.retries;
    if (!again || state_->clock.now() + wait >= deadline) {
      co_return std::unexpected(
          NoAnswer{Error{outcome.code, std::move(outcome.error)}, outcome.later});
    }
    log_debug("a model is asked again: model={} in={} because={}", model, vigil::to_text(wait),
              vigil::quoted(outcome.error));
    co_await state_->clock.sleep_for(wait);
    pause = std::min(2 * pause, pause_max);
  }
}

}  // namespace vigil::models
