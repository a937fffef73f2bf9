// What becomes of an action after an attempt.
#include "daemon/delivery/conclusion.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "daemon/delivery/answers.hpp"
#include "daemon/http/redirect.hpp"

using namespace vigil;
using namespace vigil::delivery;
using namespace std::chrono_literals;
using Fate = Outcome::Fate;

namespace {

constexpr TimePoint now{1'800'000'000s};

storage::Action tried(int attempts) {
  storage::Action action;
  action.key = "v1:7:0";
  action.attempts = attempts;
  return action;
}

}  // namespace

TEST_CASE("pauses grow from a second to an hour, differ between actions, and repeat exactly") {
  Duration last{0};
  for (int attempts = 1; attempts <= 12; ++attempts) {
    const auto pause = pause_after("v1:7:0", attempts);
    CHECK(pause == pause_after("v1:7:0", attempts));
    CHECK(pause >= std::min<Duration>(last, pause_most));
    CHECK(pause <= pause_most * 5 / 4);
    last = pause;
  }
  CHECK(pause_after("v1:7:0", 1) >= 1s);
  CHECK(pause_after("v1:7:0", 1) < 1250ms);
  CHECK(pause_after("v1:7:0", 1'000'000) >= pause_most);
  std::set<Duration> many;
  for (int i = 0; i < 100; ++i) many.insert(pause_after(fmt::format("v1:{}:0", i), 5));
  CHECK(many.size() > 60);
}

TEST_CASE("an outcome becomes a state, or another attempt") {
  CHECK(conclude(tried(1), Repeat::dangerous, delivered(7), now).state == "delivered");
  CHECK(conclude(tried(1), Repeat::dangerous, delivered(7), now).result == json::value(7));
  CHECK(conclude(tried(1), Repeat::harmless, failed("no"), now).state == "failed");
  CHECK(conclude(tried(1), Repeat::dangerous, retry_later("later"), now).state.empty());
  CHECK(conclude(tried(9), Repeat::harmless, retry_later("later"), now).state.empty());
  CHECK(conclude(tried(10), Repeat::harmless, retry_later("later"), now).state == "failed");
  CHECK(conclude(tried(1), Repeat::harmless, unanswered("?"), now).state.empty());
  CHECK(conclude(tried(1), Repeat::dangerous, unanswered("?"), now).state == "unknown");
  CHECK(conclude(tried(10), Repeat::dangerous, unanswered("?"), now).state == "unknown");
  CHECK(conclude_interrupted(tried(1), Repeat::harmless, now).not_before == now);
  CHECK(conclude_interrupted(tried(1), Repeat::dangerous, now).state == "unknown");
  CHECK(conclude_interrupted(tried(10), Repeat::harmless, now).state == "failed");
}

TEST_CASE("a server's wish to be left alone never shortens a pause and has a bound") {
  const auto asks = [](Duration pause, int attempts) {
    const auto out = conclude(tried(attempts), Repeat::harmless, retry_later("busy", pause), now);
    return out.not_before - now;
  };
  CHECK(asks(10min, 1) == 10min);
  CHECK(asks(0s, 5) >= 256s);
  CHECK(asks(100 * 24h, 1) == 24h);
}

TEST_CASE("statuses that pass are retried, others are not") {
  const auto fate = [](int status, std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Answer answer;
    answer.status = status;
    answer.headers = std::move(headers);
    return outcome_of(answer, now).fate;
  };
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    CHECK(fate(status) == Fate::retry);
  }
  for (const int status : {301, 304, 400, 401, 403, 404, 409, 410, 413, 422}) {
    CHECK(fate(status) == Fate::failed);
  }
  CHECK(fate(403, {{"retry-after", "5"}}) == Fate::retry);
  CHECK(fate(403, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1800000100"}}) ==
        Fate::retry);
  CHECK(fate(403, {{"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset", "1800000100"}}) ==
        Fate::failed);
  CHECK(outcome_of(http::Failure{Error{}, true, true}).fate == Fate::unanswered);
  CHECK(outcome_of(http::Failure{Error{}, false, true}).fate == Fate::retry);
  CHECK(outcome_of(http::Failure{Error{}, false, false}).fate == Fate::failed);
}

TEST_CASE("a redirect is followed to the same server alone") {
  const auto next = [](std::string url, int status, std::string location,
                       std::string method = "POST") {
    http::Request request;
    request.url = std::move(url);
    request.method = std::move(method);
    http::Answer answer;
    answer.status = status;
    answer.headers = {{"location", std::move(location)}};
    return redirect_of(request, answer).value_or("-");
  };
  const std::string from = "https://api.example.org/repos/a/b?x=1";
  CHECK(next(from, 307, "/repositories/9") == "https://api.example.org/repositories/9");
  CHECK(next(from, 308, "c?y=2#part") == "https://api.example.org/repos/a/c?y=2");
  CHECK(next(from, 308, "https://API.example.org:443/z") != "-");
  CHECK(next(from, 308, "//api.example.org/z") == "https://api.example.org/z");
  CHECK(next(from, 307, "http://api.example.org/z") == "-");
  CHECK(next(from, 307, "https://api.example.org:8443/z") == "-");
  CHECK(next(from, 307, "https://api.example.org.evil.org/z") == "-");
  CHECK(next(from, 307, "https://api.example.org@evil.org/z") == "-");
  CHECK(next(from, 307, "https://user@api.example.org/z") == "-");
  CHECK(next(from, 307, "//evil.org/z") == "-");
  CHECK(next(from, 307, "\\\\evil.org\\z") == "-");
  CHECK(next(from, 307, "file:///etc/passwd") == "-");
  CHECK(next(from, 307, "") == "-");
  CHECK(next(from, 301, "/z") == "-");
  CHECK(next(from, 301, "/z", "GET") == "https://api.example.org/z");
  CHECK(next(from, 200, "/z") == "-");
}
