// How an upgrade leaves: a branch is pushed to a real remote, a draft pull request is opened once.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "tests/daemon/delivery/delivery_world.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::Heard;
using testing::Reply;

namespace {

namespace fs = std::filesystem;
using World = testing::DeliveryWorld;

struct Sending : World {
  ActionId begin(std::string_view sink, json::object payload, const std::string& sticky) {
    auto what = action(std::string(sink), std::move(payload));
    what.kind = "upgrade";
    what.sticky_key = sticky;
    return add(std::move(what), "upgrades");
  }
  ActionId send(std::string_view sink, json::object payload, const std::string& sticky) {
    const auto id = begin(sink, std::move(payload), sticky);
    until([&] { return state(id) != "approved" && state(id) != "sending"; });
    settle();
    return id;
  }
};

// As much of GitHub as pull requests need.
struct Pulls : Sending {
  Pulls() {
    auto& sink = add_sink<config::GithubSink>("github");
    sink.base_url = server.url("/");
    sink.token = secret_file("token", "ghp_secret");
    server.otherwise = [this](const Heard& heard) { return answer(heard); };
    start();
  }

  Reply answer(const Heard& heard) {
    const std::string all = "/repos/octo/app/pulls";
    if (heard.method == "GET" && heard.target.starts_with(all + "?state=open")) {
      json::array out;
      for (const auto& [number, pull] : open) {
        out.push_back(json::object{{"number", number}, {"head", {{"ref", pull.at("head")}}}});
      }
      return {200, to_text(json::value(out)), {}};
    }
    const auto body = parse_json(heard.body).value().as_object();
    if (heard.method == "POST" && heard.target == all) {
      if (!drafts && body.at("draft").as_bool()) {
        return {
            422, R"({"message":"Draft pull requests are not supported in this repository."})", {}};
      }
      open[++last] = body;
      if (lose_the_next_answer) {
        lose_the_next_answer = false;
        return {.manner = Reply::Manner::close_before_answer};
      }
      return {201, to_text(json::value(json::object{{"number", last}})), {}};
    }
    const auto number = std::stoll(heard.target.substr(heard.target.rfind('/') + 1));
    if (heard.method == "PATCH" && open.contains(number)) {
      for (const auto& [key, value] : body) open[number][key] = value;
      if (body.contains("state")) closed.insert(open.extract(number));
      return {200, to_text(json::value(json::object{{"number", number}})), {}};
    }
    return {404, R"({"message":"Not Found"})", {}};
  }

  json::object pull(std::string_view title, std::string_view how = "open") {
    return {{"repository", "octo/app"}, {"head", "vigil/upgrade-a"}, {"base", "main"},
            {"title", title},           {"body", "settles A-1"},     {"state", how}};
  }

  std::map<std::int64_t, json::object> open;
  std::map<std::int64_t, json::object> closed;
  std::int64_t last = 7;
  bool drafts = true;
  bool lose_the_next_answer = false;
};

// A clone with two commits that do not follow each other, and a bare remote.
struct Push : Sending {
  Push() {
    clone.git({"init", "-q", "--bare", remote});
    for (const char* name : {"one", "two"}) {
      clone.git({"checkout", "-q", "--orphan", name});
      commits[name] = clone.commit({{"f", name}});
    }
    auto& sink = add_sink<config::GitSink>("push");
    sink.repository = clone.path().string();
    sink.remote = remote;
    start();
  }

  std::string pushed() const {
    std::ifstream file(fs::path(remote) / "refs/heads/vigil/upgrade-a");
    std::string line;
    std::getline(file, line);
    return line;
  }
  ActionId push(const std::string& name, const std::string& branch = "vigil/upgrade-a") {
    return send("push", {{"branch", branch}, {"commit", commits.at(name)}}, "upgrade:a");
  }

  testing::Clone clone;
  testing::Folder folder;
  std::string remote = (folder.path() / "remote").string();
  std::map<std::string, std::string> commits;
};

}  // namespace

TEST_CASE("a draft pull request is opened once for a branch, edited, and closed") {
  Pulls world;
  CHECK(world.state(world.send("github", world.pull("first"), "pull:a")) == "delivered");
  REQUIRE(world.open.size() == 1);
  CHECK(world.open.begin()->second.at("draft").as_bool());
  world.send("github", world.pull("second"), "pull:a");
  REQUIRE(world.open.size() == 1);
  CHECK(world.open.begin()->second.at("title") == "second");
  world.send("github", world.pull("second", "closed"), "pull:a");
  CHECK(world.open.empty());
  CHECK(world.closed.size() == 1);
  // Closing what is not open is done already.
  CHECK(world.state(world.send("github", world.pull("x", "closed"), "pull:a")) == "delivered");
}

TEST_CASE("a lost answer opens no second pull request") {
  Pulls world;
  world.lose_the_next_answer = true;
  const auto id = world.begin("github", world.pull("first"), "pull:a");
  world.until_retried(id, 1);
  CHECK(world.open.size() == 1);
  world.clock.advance_by(1h);
  world.until_state(id, "delivered");
  CHECK(world.open.size() == 1);
}

TEST_CASE("where drafts are not supported the pull request is opened without") {
  Pulls world;
  world.drafts = false;
  CHECK(world.state(world.send("github", world.pull("first"), "pull:a")) == "delivered");
  CHECK(!world.open.begin()->second.at("draft").as_bool());
}

TEST_CASE("a branch is pushed to its remote, again without harm, and replaced by a newer one") {
  Push world;
  CHECK(world.state(world.push("one")) == "delivered");
  CHECK(world.pushed() == world.commits.at("one"));
  CHECK(world.state(world.push("one")) == "delivered");
  CHECK(world.state(world.push("two")) == "delivered");
  CHECK(world.pushed() == world.commits.at("two"));
}

TEST_CASE("what others pushed to the branch is not overwritten") {
  Push world;
  world.clone.git({"push", "-q", world.remote, "two:refs/heads/vigil/upgrade-a"});
  const auto id = world.push("one");
  CHECK(world.state(id) == "failed");
  CHECK(world.row(id).error.find("not pushed from here") != std::string::npos);
  CHECK(world.pushed() == world.commits.at("two"));
}

TEST_CASE("a push goes to the remote of the configuration alone: no server leads it elsewhere") {
  Push world;
  testing::SmallServer elsewhere(world.loop.get_executor());
  const auto led = elsewhere.url("/x.git/info/refs?service=git-receive-pack");
  world.server.otherwise = [&](const Heard&) -> Reply { return {302, "", {{"Location", led}}}; };
  auto& sink = std::get<config::GitSink>(world.settings.sinks["push"].of);
  sink.remote = world.server.url("/x.git");
  REQUIRE(world.courier->apply(world.settings));
  const auto id = world.begin("push", {{"branch", "vigil/a"}, {"commit", world.commits.at("one")}},
                              "upgrade:a");
  world.until_retried(id, 1);
  CHECK(world.row(id).error.find("302") != std::string::npos);
  CHECK_FALSE(world.server.heard.empty());
  CHECK(elsewhere.connections == 0);
  world.run([&]() -> boost::asio::awaitable<void> {
    auto stopping = elsewhere.stop();
    co_await std::move(stopping);
  });
}

TEST_CASE("only branches of ours are pushed") {
  Push world;
  for (const char* branch : {"main", "vigil/", "vigil/../main", "vigil/a b", "-vigil/a"}) {
    CHECK(world.state(world.push("one", branch)) == "failed");
  }
}
