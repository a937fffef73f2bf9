// Needs vigil-task, vigil-exec and git.
#include "daemon/ingress/watch.hpp"

#include "tests/daemon/ingress/watch_world.hpp"

namespace vigil::testing {
namespace {

TEST_CASE("a push is heard from the kernel and told once, what was there before is not") {
  WatchWorld world;
  const auto first = world.clone.commit({{"a.txt", "1\n"}});
  world.start();
  world.until_looks(2);  // the second because watches were new
  CHECK(world.events.empty());
  const auto second = world.clone.commit({{"a.txt", "2\n"}});
  world.until([&] { return world.events.size() == 1; });
  const auto& event = world.events[0];
  CHECK(event.type == "git.push");
  CHECK(event.subject == "octo/repo@main");
  CHECK(event.taint == Taint::untrusted);
  CHECK(find_text(world.payloads[0], "before") == first);
  CHECK(find_text(world.payloads[0], "after") == second);
  CHECK(find_text(world.payloads[0], "repository.full_name") == "octo/repo");
  CHECK(find_path(world.payloads[0], "commits")->get_array().size() == 1);
  world.look_again();
  CHECK(world.events.size() == 1);
}

TEST_CASE("new folders of branches are watched as well") {
  WatchWorld world;
  world.clone.commit({{"a.txt", "1\n"}});
  world.start();
  world.until_looks(2);
  world.clone.git({"branch", "feature/deep/one"});
  world.until([&] { return world.events.size() == 1; });
  world.clone.git({"branch", "feature/deep/two"});
  world.until([&] { return world.events.size() == 2; });
  CHECK(world.events[1].subject == "octo/repo@feature/deep/two");
  world.clone.git({"pack-refs", "--all"});  // moves every ref and changes none
  world.clone.git({"branch", "-D", "feature/deep/one"});
  world.until([&] { return world.events.size() == 3; });
  CHECK(find_bool(world.payloads[2], "deleted") == true);
}

TEST_CASE("what was pushed while nobody watched is told at the next start, once") {
  WatchWorld world;
  world.clone.commit({{"a.txt", "1\n"}});
  world.start();
  world.until_looks(1);
  world.stop();
  const auto away = world.clone.commit({{"a.txt", "2\n"}});
  world.clone.git({"tag", "v1"});
  world.start();
  world.until([&] { return world.events.size() == 2; });
  CHECK(find_text(world.payloads[0], "after") == away);
  CHECK(world.events[1].subject == "octo/repo@v1");
  world.stop();
  world.start();
  world.until_looks(1);
  CHECK(world.events.size() == 2);
}

TEST_CASE("a ref that comes back to where it was is told each time") {
  WatchWorld world;
  const auto one = world.clone.commit({{"a.txt", "1\n"}});
  const auto two = world.clone.commit({{"a.txt", "2\n"}});
  world.start();
  world.until_looks(2);
  for (std::size_t turn = 1; turn <= 4; ++turn) {
    world.clock.advance_to(world.clock.now() + 1s);
    world.clone.git({"update-ref", "refs/heads/main", turn % 2 == 1 ? one : two});
    world.until([&] { return world.events.size() == turn; });
    CHECK(find_bool(world.payloads[turn - 1], "forced") == (turn % 2 == 1));
  }
  CHECK(world.reader->seen.get("repo", "refs/heads/main") == two);
}

TEST_CASE("what could not be stored is found again, and nothing is remembered without its event") {
  WatchWorld world;
  world.clone.commit({{"a.txt", "1\n"}});
  world.start();
  world.until_looks(2);
  world.refuse = true;
  const auto lost = world.clone.commit({{"a.txt", "2\n"}});
  world.until([&] { return !world.watcher->views().at(0).trouble.empty(); });
  CHECK(world.reader->seen.get("repo", "refs/heads/main") != lost);
  world.refuse = false;
  world.look_again();
  CHECK(world.events.size() == 1);
  CHECK(world.reader->seen.get("repo", "refs/heads/main") == lost);
}

TEST_CASE("backfill tells what is there at the first look, in steps that are whole each") {
  WatchWorld world;
  world.watched().backfill = true;
  world.clone.commit({{"a.txt", "1\n"}});
  for (int i = 0; i < 150; ++i)
    world.clone.git({"update-ref", "refs/heads/b" + std::to_string(i), "HEAD"});
  world.start();
  world.until([&] { return world.events.size() == 151; });
  CHECK(world.commits == 2);
  CHECK(find_bool(world.payloads[0], "created") == true);
  world.look_again();
  CHECK(world.events.size() == 151);
}

TEST_CASE("other refs, or another place, begin anew without a backfill") {
  WatchWorld world;
  world.clone.commit({{"a.txt", "1\n"}});
  world.clone.git({"tag", "v1"});
  world.watched().refs = {"refs/heads/*"};
  world.start();
  world.until_looks(1);
  CHECK(world.watcher->views().at(0).refs == 1);
  world.watched().refs = {"refs/*"};
  REQUIRE(world.watcher->apply(world.settings));
  world.until([&] { return world.watcher->views().at(0).refs == 2; });
  CHECK(world.events.empty());
  CHECK_FALSE(world.watcher->poke("nobody"));
}

TEST_CASE("a repository that is not there is said once and found when it comes") {
  WatchWorld world;
  const auto place = world.clone.path() / "later";
  world.watched().path = place.string();
  world.start();
  world.until([&] { return !world.watcher->views().at(0).trouble.empty(); });
  CHECK(world.watcher->views().at(0).trouble.find("clone the repository there") !=
        std::string::npos);
  world.clone.git({"init", "-q", "--bare", place.string()});
  world.clock.advance_to(world.clock.now() + 2s);
  world.until([&] { return world.watcher->views().at(0).trouble.empty(); });
}

TEST_CASE("a burst is one reading: it waits until the repository is quiet") {
  WatchWorld world;
  world.watched().settle = 200ms;
  world.clone.commit({{"a.txt", "1\n"}});
  world.start();
  world.until_looks(1);
  world.pass(1s);
  world.until_looks(2);
  for (int i = 0; i < 20; ++i) world.clone.git({"branch", "b" + std::to_string(i)});
  world.poll();
  const auto before = world.looks();
  world.pass(1s);
  world.until([&] { return world.events.size() == 20; });
  CHECK(world.looks() == before + 1);
}

}  // namespace
}  // namespace vigil::testing
