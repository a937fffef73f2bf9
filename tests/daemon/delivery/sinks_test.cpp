// Each kind of sink, through the courier: what it sends, what it makes of the answer.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>

#include "tests/daemon/delivery/delivery_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::Heard;
using testing::Reply;

namespace {

using World = testing::DeliveryWorld;

// As much of GitHub as a comment and a status need.
struct Github : World {
  Github() {
    auto& sink = add_sink<config::GithubSink>("github");
    sink.base_url = server.url("/api/v3/");
    sink.token = secret_file("token", "ghp_secret");
    server.otherwise = [this](const Heard& heard) { return answer(heard); };
    start();
  }

  Reply answer(const Heard& heard) {
    const std::string list = "/api/v3/repos/octo/project/issues/12/comments";
    const std::string one = "/api/v3/repos/octo/project/issues/comments/";
    const auto body = [&] {
      return std::string(find_text(parse_json(heard.body).value(), "body").value());
    };
    const auto described = [&](std::int64_t id) {
      return to_text(json::object{{"id", id}, {"html_url", fmt::format("https://gh/c/{}", id)}});
    };
    if (heard.method == "POST" && heard.target == list) {
      comments[++last_id] = body();
      if (lose_the_next_answer) {
        lose_the_next_answer = false;
        return {.manner = Reply::Manner::close_before_answer};
      }
      return {201, described(last_id), {}};
    }
    if (heard.method == "GET" && heard.target.starts_with(list + "?per_page=100&page=")) {
      const auto page = std::stoul(heard.target.substr(heard.target.rfind('=') + 1));
      json::array out;
      std::size_t at = 0;
      for (const auto& [id, text] : comments) {
        if (at++ / 100 + 1 == page) out.push_back(json::object{{"id", id}, {"body", text}});
      }
      return {200, to_text(json::value(out)), {}};
    }
    if (heard.method == "PATCH" && heard.target.starts_with(one)) {
      const auto id = std::stoll(heard.target.substr(one.size()));
      if (!comments.contains(id)) return {404, R"({"message":"Not Found"})", {}};
      comments[id] = body();
      return {200, described(id), {}};
    }
    if (heard.method == "POST" &&
        heard.target.starts_with("/api/v3/repos/octo/project/statuses/")) {
      statuses.push_back(parse_json(heard.body).value());
      return {201, R"({"id":1})", {}};
    }
    return {404, R"({"message":"Not Found"})", {}};
  }

  storage::Action comment(const std::string& text, const std::string& sticky = "") {
    auto out = action("github", {{"repository", "octo/project"}, {"number", 12}, {"body", text}});
    out.kind = "comment";
    out.sticky_key = sticky;
    return out;
  }
  ActionId send(storage::Action what) {
    const auto id = add(std::move(what), "octo/project#12");
    until([&] { return state(id) != "approved" && state(id) != "sending"; });
    settle();
    return id;
  }
  std::string error_of(json::object payload) {
    const auto id = send(action("github", std::move(payload)));
    CHECK(state(id) == "failed");
    return row(id).error;
  }

  std::map<std::int64_t, std::string> comments;
  std::vector<json::value> statuses;
  std::int64_t last_id = 100;
  bool lose_the_next_answer = false;
};

}  // namespace

TEST_CASE("an http sink posts the payload, signed as Standard Webhooks, with its key as id") {
  World world;
  auto& sink = world.add_sink<config::HttpSink>("chat");
  sink.url = world.server.url("/ops");
  sink.headers = {{"x-team", "ops"}};
  sink.secret = world.secret_file("chat.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  world.start();
  const auto id = world.add(world.action("chat", {{"text", "ä"}, {"n", 1}}));
  world.until_state(id, "delivered");
  const auto& heard = world.server.heard.at(0);
  CHECK(heard.method == "POST");
  CHECK(heard.body == "{\"text\":\"ä\",\"n\":1}");
  CHECK(heard.headers.at("content-type") == "application/json");
  CHECK(heard.headers.at("x-team") == "ops");
  const auto key = world.row(id).key;
  CHECK(heard.headers.at("webhook-id") == key);
  CHECK(heard.headers.at("idempotency-key") == key);
  CHECK(heard.headers.at("webhook-timestamp") == "1800000000");
  const auto mac = hmac_sha256(from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value(),
                               key + ".1800000000." + heard.body);
  CHECK(heard.headers.at("webhook-signature") == "v1," + to_base64(as_bytes(mac)));
}

TEST_CASE("a retry is signed anew under the same id") {
  World world;
  auto& sink = world.add_sink<config::HttpSink>("chat");
  sink.url = world.server.url("/ops");
  sink.secret = world.secret_file("chat.secret", "a plain text key");
  world.server.replies.push_back({500, "", {}});
  world.start();
  const auto id = world.add(world.action("chat"));
  world.until_retried(id, 1);
  world.clock.advance_by(1h);
  world.until_state(id, "delivered");
  const auto& first = world.server.heard.at(0).headers;
  const auto& second = world.server.heard.at(1).headers;
  CHECK(first.at("webhook-id") == second.at("webhook-id"));
  CHECK(second.at("webhook-timestamp") == "1800003600");
  CHECK(first.at("webhook-signature") != second.at("webhook-signature"));
}

TEST_CASE(
    "without a secret nothing is signed; a broken one is refused when the settings are read") {
  World world;
  auto& sink = world.add_sink<config::HttpSink>("chat");
  sink.url = world.server.url("/ops");
  world.start();
  world.until_state(world.add(world.action("chat")), "delivered");
  CHECK_FALSE(world.server.heard.at(0).headers.contains("webhook-signature"));
  sink.secret = world.secret_file("chat.secret", "whsec_###");
  const auto refused = world.courier->apply(world.settings);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message ==
        "sink.chat.secret: what follows whsec_ in the secret must be "
        "base64");
}

TEST_CASE("a github comment is written with the token and remembered by its id") {
  Github world;
  const auto id = world.send(world.comment("Looks good"));
  CHECK(world.state(id) == "delivered");
  CHECK(find_integer(world.row(id).result, "id") == 101);
  CHECK(find_text(world.row(id).result, "url") == "https://gh/c/101");
  REQUIRE(world.comments.size() == 1);
  CHECK(world.comments[101].starts_with("<!-- vigild:"));
  CHECK(world.comments[101].ends_with(" -->\nLooks good"));
  REQUIRE(world.server.heard.size() == 1);  // a first comment is not searched for
  const auto& headers = world.server.heard[0].headers;
  CHECK(headers.at("authorization") == "Bearer ghp_secret");
  CHECK(headers.at("accept") == "application/vnd.github+json");
  CHECK(headers.at("user-agent").starts_with("vigild/"));
  // Another one is another one.
  world.send(world.comment("Looks good"));
  CHECK(world.comments.size() == 2);
}

TEST_CASE("a sticky comment is edited in place") {
  Github world;
  world.send(world.comment("first", "review"));
  world.send(world.comment("second", "review"));
  REQUIRE(world.comments.size() == 1);
  CHECK(world.comments[101].ends_with("\nsecond"));
  CHECK(world.server.heard.back().method == "PATCH");
  world.send(world.comment("other", "summary"));
  CHECK(world.comments.size() == 2);
  SUBCASE("written anew when a person deleted it") {
    world.comments.erase(101);
    const auto id = world.send(world.comment("third", "review"));
    CHECK(world.comments.size() == 2);
    CHECK(find_integer(world.row(id).result, "id") == 103);
  }
  SUBCASE("found again on a later page when its id was forgotten") {
    for (int i = 0; i < 250; ++i) world.comments[i - 500] = "noise > <!-- vigild:quoted -->";
    auto anew = world.comment("third", "review");
    world.add_sink<config::GithubSink>("mirror") =
        std::get<config::GithubSink>(world.settings.sinks["github"].of);
    REQUIRE(world.courier->apply(world.settings));
    anew.sink = "mirror";  // another sink has no memory of it
    world.send(anew);
    CHECK(world.comments.size() == 252);
    CHECK(world.comments[101].ends_with("\nthird"));
  }
}

TEST_CASE("a comment whose answer was lost is not written twice") {
  Github world;
  world.lose_the_next_answer = true;
  const auto id = world.add(world.comment("once"), "octo/project#12");
  world.until_retried(id, 1);
  CHECK(world.comments.size() == 1);
  world.clock.advance_by(1h);
  world.until_state(id, "delivered");
  CHECK(world.comments.size() == 1);
  CHECK(world.row(id).attempts == 2);
}

TEST_CASE("a commit status") {
  Github world;
  const std::string sha(40, 'a');
  const auto id = world.send(world.action("github", {{"repository", "octo/project"},
                                                     {"sha", sha},
                                                     {"state", "failure"},
                                                     {"description", std::string(200, 'd')},
                                                     {"target_url", "https://ci/1"}}));
  CHECK(world.state(id) == "delivered");
  REQUIRE(world.statuses.size() == 1);
  const auto& status = world.statuses[0];
  CHECK(find_text(status, "state") == "failure");
  CHECK(find_text(status, "context") == "vigild");
  CHECK(find_text(status, "target_url") == "https://ci/1");
  CHECK(find_text(status, "description") == std::string(137, 'd') + "...");
  CHECK(world.server.heard.back().target.ends_with("/statuses/" + sha));
}

TEST_CASE("a payload GitHub could not take fails with what is missing") {
  Github world;
  CHECK(world.error_of({{"number", 1}, {"body", "x"}}).find("\"repository\"") != std::string::npos);
  CHECK(world.error_of({{"repository", "octo/../admin"}, {"number", 1}, {"body", "x"}})
            .find("\"repository\"") != std::string::npos);
  CHECK(world.error_of({{"repository", "../.."}, {"number", 1}, {"body", "x"}})
            .find("\"repository\"") != std::string::npos);
  CHECK(world.error_of({{"repository", "octo/project"}, {"body", "x"}}).find("\"number\"") !=
        std::string::npos);
  CHECK(world.error_of({{"repository", "octo/project"}, {"number", 1}}).find("\"body\"") !=
        std::string::npos);
  CHECK(world.error_of({{"repository", "octo/project"}, {"sha", "HEAD"}, {"state", "success"}})
            .find("\"sha\"") != std::string::npos);
  CHECK(world
            .error_of(
                {{"repository", "octo/project"}, {"sha", std::string(40, '0')}, {"state", "green"}})
            .find("\"state\"") != std::string::npos);
  CHECK(world.server.heard.empty());
  CHECK(world.error_of({{"repository", "octo/other"}, {"number", 1}, {"body", "x"}})
            .find("the server answered 404") == 0);
}

TEST_CASE("GitHub's limits are waited for") {
  Github world;
  world.server.replies.push_back(
      {403, "", {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1800001000"}}});
  world.server.replies.push_back({403, "", {{"retry-after", "60"}}});
  const auto id = world.add(world.comment("x"));
  world.until_retried(id, 1);
  CHECK(world.row(id).not_before == TimePoint{1'800'001'000s});
  world.clock.advance_to(world.row(id).not_before);
  world.until_retried(id, 2);
  CHECK(world.row(id).not_before - world.clock.now() == 60s);
}

TEST_CASE("a comment longer than GitHub takes is cut and says so") {
  Github world;
  std::string text;
  while (text.size() < 100'000) text += "ö";
  world.send(world.comment(text));
  const auto& body = world.comments.at(101);
  CHECK(body.size() < 65'536);
  CHECK(is_valid_utf8(body));
  CHECK(body.find("(cut: ") != std::string::npos);
}

namespace {

config::CommandSink& add_command(World& world, std::vector<std::string> argv) {
  auto& sink = world.add_sink<config::CommandSink>("run");
  sink.argv = std::move(argv);
  return sink;
}

}  // namespace

TEST_CASE("a command gets the payload on its standard input, and its output is the result") {
  World world;
  add_command(world, {"sh", "-c", "cat; echo \"$VIGIL_ACTION_KEY\" >&2"});
  world.start();
  const auto id = world.add(world.action("run", {{"text", "$(reboot)"}}));
  world.until_state(id, "delivered");
  CHECK(find_text(world.row(id).result, "output.text") == "$(reboot)");
  CHECK(find_integer(world.row(id).result, "exit") == 0);
}

TEST_CASE("a command that fails says why, one that asks for it is run again") {
  World world;
  add_command(world, {"sh", "-c", "echo no paper >&2; exit 3"});
  world.start();
  const auto failed = world.add(world.action("run"));
  world.until_state(failed, "failed");
  CHECK(world.row(failed).error == "sh ended with exit code 3: no paper");
  add_command(world, {"sh", "-c", "exit 75"});
  REQUIRE(world.courier->apply(world.settings));
  world.until_retried(world.add(world.action("run"), "busy"), 1);
  add_command(world, {"/nowhere/at-all"});
  REQUIRE(world.courier->apply(world.settings));
  const auto missing = world.add(world.action("run"));
  world.until_state(missing, "failed");
  CHECK(world.row(missing).error.find("127") != std::string::npos);
}

TEST_CASE("a command that is late is stopped; whether it may be run again is its own word") {
  World world;
  const auto mark = (world.path / "mark").string();
  auto& sink =
      add_command(world, {"sh", "-c", "cat >/dev/null; echo up >> " + mark + "; exec sleep 1000"});
  sink.timeout = 1min;
  bool idempotent = false;
  SUBCASE("dangerous") {}
  SUBCASE("idempotent") { idempotent = true; }
  sink.idempotent = idempotent;
  world.start();
  const auto id = world.add(world.action("run"));
  world.until([&] { return world.read_file("mark") == "up\n"; });
  world.clock.advance_by(1min);
  if (idempotent) {
    world.until_retried(id, 1);
  } else {
    world.until_state(id, "unknown");
    CHECK(world.row(id).error.find("sh was stopped after its timeout of 1m; whether it") == 0);
  }
}

TEST_CASE("a file sink appends one JSON line for each action, and closes off a torn one") {
  World world;
  world.add_sink<config::FileSink>("notes").path = (world.path / "notes.jsonl").string();
  std::ofstream(world.path / "notes.jsonl") << "{\"torn\":";
  world.start();
  const auto first = world.add(world.action("notes", {{"text", "one\ntwo"}}), "printer");
  world.until_state(first, "delivered");
  const auto second = world.add(world.action("notes"), "printer");
  world.until_state(second, "delivered");
  std::istringstream lines(world.read_file("notes.jsonl"));
  std::string line;
  std::getline(lines, line);
  CHECK(line == "{\"torn\":");
  std::getline(lines, line);
  const auto parsed = parse_json(line).value();
  CHECK(find_text(parsed, "key") == world.row(first).key);
  CHECK(find_text(parsed, "entity") == "ops");
  CHECK(find_text(parsed, "case") == "printer");
  CHECK(find_text(parsed, "payload.text") == "one\ntwo");
  std::getline(lines, line);
  CHECK(find_text(parse_json(line).value(), "key") == world.row(second).key);
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("a line that a crash left behind is not written a second time") {
  World world;
  world.add_sink<config::FileSink>("notes").path = (world.path / "notes.jsonl").string();
  world.start();
  const auto id = world.add(world.action("notes"));
  world.until_state(id, "delivered");
  const auto before = world.read_file("notes.jsonl");
  world.stop();
  // As if the answer had never been committed.
  auto again = world.row(id);
  again.key += "x";
  again.state = "approved";
  const auto other = world.add(again);
  world.commit([other](storage::Stores& stores) { CHECK(stores.outbox.begin(other)); });
  std::ofstream(world.path / "notes.jsonl", std::ios::app) << [&] {
    auto line = before;
    line.replace(line.find(world.row(id).key), world.row(id).key.size(), again.key);
    return line;
  }();
  const auto with_line = world.read_file("notes.jsonl");
  world.start();
  world.until_state(other, "delivered");
  CHECK(world.read_file("notes.jsonl") == with_line);
}

TEST_CASE("a file that cannot be written is tried again") {
  World world;
  world.add_sink<config::FileSink>("notes").path = (world.path / "missing/notes.jsonl").string();
  world.start();
  const auto id = world.add(world.action("notes"));
  world.until_retried(id, 1);
  CHECK(world.row(id).error.find("notes.jsonl: No such file or directory") != std::string::npos);
  std::filesystem::create_directory(world.path / "missing");
  world.clock.advance_by(1h);
  world.until_state(id, "delivered");
}
