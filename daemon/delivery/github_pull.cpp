#include "daemon/delivery/github_pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "daemon/delivery/answers.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr std::size_t body_bytes_max = 60'000;  // GitHub takes 65536 characters
constexpr std::size_t title_bytes_max = 250;
constexpr std::size_t list_bytes_max = 16 * 1024 * 1024;

struct Pull {
  std::string repository;
  std::string head;
  std::string base;
  std::string title;
  std::string body;
  bool closed = false;
};

bool is_branch(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || c == '/';
         });
}

Result<Pull> pull_of(std::string repository, const json::value& payload) {
  const auto text = [&](std::string_view key) {
    return std::string(find_text(payload, key).value_or(""));
  };
  Pull pull{std::move(repository), text("head"), text("base"),
            text("title"),         text("body"), text("state") == "closed"};
  if (!is_branch(pull.head) || !is_branch(pull.base)) {
    return fail(ErrorCode::invalid_input,
                "\"head\" and \"base\" in the payload must be names of branches");
  }
  if (pull.title.empty()) pull.title = pull.head;
  pull.title.resize(std::min(pull.title.size(), title_bytes_max));
  pull.body.resize(std::min(pull.body.size(), body_bytes_max));
  pull.title = to_valid_utf8(pull.title);
  pull.body = to_valid_utf8(pull.body);
  return pull;
}

json::value result_of(const http::Answer& answer) {
  json::object result{{"status", answer.status}};
  if (const auto parsed = parse_json(answer.body)) {
    if (const auto number = find_integer(*parsed, "number")) result["number"] = *number;
    if (const auto url = find_text(*parsed, "html_url")) result["url"] = *url;
  }
  return result;
}

Outcome end(const http::Received& answer, TimePoint now) {
  if (!answer) return outcome_of(answer.error());
  return answer->ok() ? delivered(result_of(*answer)) : outcome_of(*answer, now);
}

// `delivered` when the search itself went well; `found` stays 0 when there is none.
asio::awaitable<Outcome> find_pull(GithubDoor& door, const Pull& pull, std::int64_t* found) {
  const auto owner = pull.repository.substr(0, pull.repository.find('/'));
  auto asked = door.request("GET", fmt::format("/repos/{}/pulls?state=open&per_page=10&head={}:{}",
                                               pull.repository, owner, pull.head));
  asked.answer_bytes_max = list_bytes_max;
  auto performing = door.http.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  if (!answer) co_return retry_later(answer.error().error.message);  // nothing was changed yet
  if (!answer->ok()) co_return outcome_of(*answer, door.clock.now());
  const auto parsed = parse_json(answer->body);
  const auto* pulls = parsed ? parsed->if_array() : nullptr;
  if (pulls == nullptr) co_return retry_later("GitHub's list of pull requests cannot be read");
  for (const auto& one : *pulls) {
    // A server that does not know the filter tells all of them.
    if (find_text(one, "head.ref").value_or("") != pull.head) continue;
    *found = find_integer(one, "number").value_or(0);
    break;
  }
  co_return delivered(nullptr);
}

asio::awaitable<Outcome> edit_pull(GithubDoor& door, const Pull& pull, std::int64_t number) {
  auto asked = door.request("PATCH", fmt::format("/repos/{}/pulls/{}", pull.repository, number));
  json::object body{{"title", pull.title}, {"body", pull.body}};
  if (pull.closed) body["state"] = "closed";
  asked.body = to_text(json::value(std::move(body)));
  auto performing = door.http.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  co_return end(answer, door.clock.now());
}

enum class Kind { draft, ready };

asio::awaitable<Outcome> open_pull(GithubDoor& door, const Pull& pull, Kind kind, bool* no_drafts) {
  auto asked = door.request("POST", fmt::format("/repos/{}/pulls", pull.repository));
  asked.body = to_text(json::value(json::object{{"title", pull.title},
                                                {"head", pull.head},
                                                {"base", pull.base},
                                                {"body", pull.body},
                                                {"draft", kind == Kind::draft}}));
  asked.connection = http::Connection::fresh;
  auto performing = door.http.perform(std::move(asked));
  http::Received answer = co_await std::move(performing);
  if (answer && answer->status == 422) {
    *no_drafts = answer->body.find("raft pull requests are not supported") != std::string::npos;
    if (answer->body.find("already exists") != std::string::npos) {
      co_return retry_later("somebody opened the pull request meanwhile");
    }
  }
  co_return end(answer, door.clock.now());
}

}  // namespace

bool is_pull(const json::value& payload) {
  return find_text(payload, "head") && find_text(payload, "base") &&
         find_path(payload, "number") == nullptr && find_path(payload, "sha") == nullptr;
}

asio::awaitable<Outcome> deliver_pull(GithubDoor door, std::string repository,
                                      json::value payload) {
  auto pull = pull_of(std::move(repository), payload);
  if (!pull) co_return failed(pull.error().message);
  std::int64_t found = 0;
  auto finding = find_pull(door, *pull, &found);
  Outcome looked = co_await std::move(finding);
  if (looked.fate != Outcome::Fate::delivered) co_return looked;
  if (found != 0) {
    auto editing = edit_pull(door, *pull, found);
    co_return co_await std::move(editing);
  }
  if (pull->closed) co_return delivered(json::object{{"open", false}});
  bool no_drafts = false;
  auto opening = open_pull(door, *pull, Kind::draft, &no_drafts);
  Outcome opened = co_await std::move(opening);
  if (!no_drafts) co_return opened;
  auto again = open_pull(door, *pull, Kind::ready, &no_drafts);
  co_return co_await std::move(again);
}

}  // namespace vigil::delivery
