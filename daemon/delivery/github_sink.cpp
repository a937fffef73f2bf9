// [sink.NAME] kind = "github": comments that are edited in place, and commit statuses, through the
// REST API (https://docs.github.com/en/rest). A comment carries a hidden first line by which it is
// found again, so neither a lost answer nor a lost database makes a second one.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "core/digest.hpp"
#include "daemon/delivery/answers.hpp"
#include "daemon/delivery/github_pull.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr int pages_max = 10;                   // of 100 comments each
constexpr std::size_t body_bytes_max = 60'000;  // GitHub takes 65536 characters
constexpr std::size_t description_max = 140;
constexpr std::size_t list_bytes_max = 16 * 1024 * 1024;

struct Place {
  std::string repository;  // owner/name
  std::int64_t number = 0;
};

bool is_repository(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const auto owner = text.substr(0, slash);
  const auto name = text.substr(slash + 1);
  const auto is_dots = [](std::string_view part) { return part == "." || part == ".."; };
  return std::ranges::all_of(owner, fits) && std::ranges::all_of(name, fits) && !is_dots(owner) &&
         !is_dots(name);
}

bool is_sha(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<std::string> repository_of(const json::value& payload) {
  const auto text = find_text(payload, "repository");
  if (text && is_repository(*text)) return std::string(*text);
  return fail(ErrorCode::invalid_input,
              "the payload needs \"repository\" with a text like \"octo/project\"");
}

// Cut between two characters, not within one.
std::string shortened(std::string_view text, std::size_t bytes_max, std::string_view mark) {
  if (text.size() <= bytes_max) return std::string(text);
  auto end = bytes_max - mark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + std::string(mark);
}

// Only letters and digits: it must not end the HTML comment it stands in.
std::string marker_of(const storage::Action& action) {
  const auto identity = action.sticky_key.empty() ? action.key
                                                  : fmt::format("{}\n{}\n{}", action.entity,
                                                                action.case_key, action.sticky_key);
  return fmt::format("<!-- vigild:{} -->", to_hex(as_bytes(sha256(identity))).substr(0, 32));
}

Result<std::string> comment_of(const storage::Action& action, const json::value& payload) {
  auto body = find_text(payload, "body");
  if (!body || body->empty()) body = find_text(payload, "text");
  if (!body || body->empty()) {
    return fail(ErrorCode::invalid_input, "the payload needs \"body\", the text of the comment");
  }
  return fmt::format(
      "{}\n{}", marker_of(action),
      shortened(*body, body_bytes_max, "\n\n(cut: it was longer than GitHub takes)"));
}

json::value result_of(const http::Answer& answer) {
  json::object result{{"status", answer.status}};
  if (const auto parsed = parse_json(answer.body)) {
    if (const auto id = find_integer(*parsed, "id")) result["id"] = *id;
    if (const auto url = find_text(*parsed, "html_url")) result["url"] = *url;
  }
  return result;
}

class GithubSink final : public Sink {
 public:
  GithubSink(config::GithubSink settings, config::Secret token, const SinkGround& ground)
      : settings_(std::move(settings)),
        token_(std::move(token)),
        clock_(ground.clock),
        http_(ground.http) {
    while (settings_.base_url.ends_with('/')) settings_.base_url.pop_back();
  }

  // A status says the same twice, and a comment is found again by its mark.
  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const json::value payload(attempt.action.payload);
    auto repository = repository_of(payload);
    if (!repository) co_return failed(repository.error().message);
    if (find_path(payload, "sha") != nullptr) {
      auto setting = set_status(std::move(*repository), payload);
      co_return co_await std::move(setting);
    }
    if (is_pull(payload)) {
      GithubDoor door{[this](std::string method, const std::string& path) {
                        return request(std::move(method), path);
                      },
                      clock_, http_};
      auto pulling = deliver_pull(std::move(door), std::move(*repository), payload);
      co_return co_await std::move(pulling);
    }
    const auto number = find_integer(payload, "number");
    if (!number || *number <= 0) {
      co_return failed(
          "the payload needs \"number\" (of the issue or pull request, for a comment), \"sha\" "
          "(for a commit status), or \"head\" and \"base\" (for a pull request)");
    }
    auto body = comment_of(attempt.action, payload);
    if (!body) co_return failed(body.error().message);
    Place place{std::move(*repository), *number};
    auto commenting = comment(std::move(attempt), std::move(place), std::move(*body));
    co_return co_await std::move(commenting);
  }

 private:
  http::Request request(std::string method, const std::string& path) const {
    http::Request out;
    out.method = std::move(method);
    out.url = settings_.base_url + path;
    out.configured = settings_.base_url;
    out.deadline = clock_.now() + settings_.timeout;
    out.headers = {{"Accept", "application/vnd.github+json"},
                   {"X-GitHub-Api-Version", "2022-11-28"},
                   {"Content-Type", "application/json"},
                   {"User-Agent", "vigild/" VIGIL_VERSION}};
    out.headers.push_back(http::bearer(token_.reveal()));
    return out;
  }

  Outcome end(const http::Received& answer) const {
    if (!answer) return outcome_of(answer.error());
    return answer->ok() ? delivered(result_of(*answer)) : outcome_of(*answer, clock_.now());
  }

  asio::awaitable<Outcome> set_status(std::string repository, json::value payload);
  asio::awaitable<Outcome> comment(Attempt attempt, Place place, std::string body);
  asio::awaitable<Outcome> edit(Place place, std::int64_t id, std::string body, int* status);
  asio::awaitable<Outcome> find_comment(Place place, std::string marker, std::int64_t* found);

  config::GithubSink settings_;
  config::Secret token_;
  Clock& clock_;
  http::Client& http_;
};

asio::awaitable<Outcome> GithubSink::set_status(std::string repository, json::value payload) {
  const auto sha = find_text(payload, "sha");
  const auto state = find_text(payload, "state");
  constexpr std::array states{"error", "failure", "pending", "success"};
  if (!sha || !is_sha(*sha)) {
    co_return failed("\"sha\" in the payload must be a whole commit id in lower case hex");
  }
  if (!state || std::ranges::find(states, *state) == states.end()) {
    co_return failed("\"state\" in the payload must be error, failure, pending or success");
  }
  json::object body{{"state", *state}, {"context", settings_.context}};
  if (const auto context = find_text(payload, "context")) body["context"] = *context;
  if (const auto url = find_text(payload, "target_url")) body["target_url"] = *url;
  auto description = find_text(payload, "description");
  if (!description) description = find_text(payload, "text");
  if (description) body["description"] = shortened(*description, description_max, "...");
  auto asked = request("POST", fmt::format("/repos/{}/statuses/{}", repository, *sha));
  asked.body = to_text(json::value(std::move(body)));
  auto performing = http_.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  co_return end(answer);
}

// Edits the one we know; else looks for it; else writes a new one.
asio::awaitable<Outcome> GithubSink::comment(Attempt attempt, Place place, std::string body) {
  const auto& action = attempt.action;
  std::int64_t known = 0;
  if (attempt.last_result) known = find_integer(*attempt.last_result, "id").value_or(0);
  int status = 0;
  if (known != 0) {
    auto editing = edit(place, known, body, &status);
    Outcome edited = co_await std::move(editing);
    if (status != 404 && status != 410) co_return edited;  // else a person deleted it
  }
  if (!action.sticky_key.empty() || action.attempts > 1) {
    std::int64_t found = 0;
    auto finding = find_comment(place, marker_of(action), &found);
    Outcome looked = co_await std::move(finding);
    if (looked.fate != Outcome::Fate::delivered) co_return looked;
    if (found != 0) {
      auto editing = edit(place, found, std::move(body), &status);
      co_return co_await std::move(editing);
    }
  }
  auto asked =
      request("POST", fmt::format("/repos/{}/issues/{}/comments", place.repository, place.number));
  asked.body = to_text(json::object{{"body", body}});
  asked.connection = http::Connection::fresh;
  auto performing = http_.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  co_return end(answer);
}

asio::awaitable<Outcome> GithubSink::edit(Place place, std::int64_t id, std::string body,
                                          int* status) {
  auto asked = request("PATCH", fmt::format("/repos/{}/issues/comments/{}", place.repository, id));
  asked.body = to_text(json::object{{"body", body}});
  auto performing = http_.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  *status = answer ? answer->status : 0;
  co_return end(answer);
}

// `delivered` when the search itself went well; `found` stays 0 when there is no such comment.
asio::awaitable<Outcome> GithubSink::find_comment(Place place, std::string marker,
                                                  std::int64_t* found) {
  for (int page = 1; page <= pages_max; ++page) {
    auto asked = request("GET", fmt::format("/repos/{}/issues/{}/comments?per_page=100&page={}",
                                            place.repository, place.number, page));
    asked.answer_bytes_max = list_bytes_max;
    auto performing = http_.perform(std::move(asked));
    http::Received answer = co_await std::move(performing);
    if (!answer) co_return retry_later(answer.error().error.message);  // nothing was changed yet
    if (!answer->ok()) co_return outcome_of(*answer, clock_.now());
    const auto parsed = parse_json(answer->body);
    const auto* comments = parsed ? parsed->if_array() : nullptr;
    if (comments == nullptr) co_return retry_later("GitHub's list of comments cannot be read");
    for (const auto& one : *comments) {
      const auto body = find_text(one, "body");
      if (!body || !body->starts_with(marker)) continue;
      *found = find_integer(one, "id").value_or(0);
      co_return delivered(nullptr);
    }
    if (comments->size() < 100) break;
  }
  co_return delivered(nullptr);
}

}  // namespace

Result<std::shared_ptr<Sink>> make_github_sink(const std::string& name,
                                               const config::GithubSink& settings,
                                               const SinkGround& ground) {
  auto token = config::read_secret(settings.token);
  if (!token) {
    return fail(token.error().code, fmt::format("sink.{}.token: {}", name, token.error().message));
  }
  return std::make_shared<GithubSink>(settings, std::move(*token), ground);
}

}  // namespace vigil::delivery
