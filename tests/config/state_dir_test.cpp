#include "config/state_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

TEST_CASE("the state directory is found in a configuration that cannot be used") {
  Scratch scratch;
  const auto found = [&](const std::string& text) {
    scratch.write("vigild.toml", text);
    return find_state_dir(scratch.path());
  };
  const auto here = scratch.path("kept");
  CHECK(found("[daemon]\nstate_dir = \"kept\"\n") == here);
  CHECK(found("[daemon]\nstate_dir = \"kept/../kept\"\nlog_lvl = 3\n[nonsense]\n") == here);
  CHECK(found("[daemon]\nstate_dir = \"/var/kept\"\nlog_level = \n") == "/var/kept");
  CHECK(found("[daemon]\nstate_dir = \"kept\"\nlog_level = \"info\n[http]\n") == here);
  // The bracket shows three lines later, and so does the quote.
  CHECK(found("[daemon]\nstate_dir = \"kept\"\n[http]\nlisten = [\n\n\n[swarm]\nslots = 1\n") ==
        here);
  CHECK(found("[daemon]\nstate_dir = \"kept\"\n[sink.x]\nurl = \"\"\"\na\nb\nc\n") == here);
  CHECK(find_state_dir(scratch.path("vigild.toml")) == here);
}

TEST_CASE("where nothing is said of it, or too late, it is the usual one") {
  Scratch scratch;
  ::setenv("STATE_DIRECTORY", "/var/lib/usual:/var/lib/other", 1);
  scratch.write("vigild.toml", "[http\n[daemon]\nstate_dir = \"kept\"\n");
  CHECK(find_state_dir(scratch.path()) == "/var/lib/usual");
  scratch.write("vigild.toml", "[daemon]\nstate_dir = 7\n");
  CHECK(find_state_dir(scratch.path()) == "/var/lib/usual");
  CHECK(find_state_dir(scratch.path("absent.toml")) == "/var/lib/usual");
  ::unsetenv("STATE_DIRECTORY");
}

}  // namespace
}  // namespace vigil::config
