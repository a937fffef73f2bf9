// The post-receive hook: what it holds, and where it is put.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "ctl/hook.hpp"

using namespace vigil;
using namespace vigil::ctl;
namespace fs = std::filesystem;

namespace {

// A bare repository, as far as hooks are concerned.
struct Bare {
  fs::path path = fs::temp_directory_path() / ("vigil-hook-" + random_hex(6));
  Session session{Client("/run/vigild/admin.sock"), Output::json, Follow::no, {}, false};

  Bare() {
    fs::create_directories(path / "objects");
    write("HEAD", "ref: refs/heads/main\n");
  }
  ~Bare() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int install(bool chain = false) const {
    return install_hook(session, {path.string(), "repo", chain});
  }
};

}  // namespace

TEST_CASE("a hook is one call that ends within a second, with words that no shell takes apart") {
  const auto text = hook_text("/usr/bin/vigilctl", "/run/it's here/admin.sock", "my repo");
  CHECK(text.starts_with("#!/bin/sh\n" + std::string(hook_mark)));
  CHECK(text.find("timeout 1 '/usr/bin/vigilctl' --socket '/run/it'\\''s here/admin.sock' sources "
                  "poke 'my repo' </dev/null >/dev/null 2>&1\n") != std::string::npos);
}

TEST_CASE("it is installed, installed again, and removed") {
  const Bare bare;
  REQUIRE(bare.install() == exit_ok);
  CHECK(bare.read("hooks/post-receive").find("poke 'repo'") != std::string::npos);
  struct stat status{};
  REQUIRE(::stat((bare.path / "hooks/post-receive").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0755);
  CHECK(bare.install() == exit_ok);
  CHECK(remove_hook(bare.session, bare.path.string()) == exit_ok);
  CHECK_FALSE(fs::exists(bare.path / "hooks/post-receive"));
  CHECK(remove_hook(bare.session, bare.path.string()) == exit_failed);
}

TEST_CASE("a hook of somebody else is left alone, or kept and run first") {
  const Bare bare;
  bare.write("hooks/post-receive", "#!/bin/sh\nexit 3\n");
  CHECK(bare.install() == exit_failed);
  CHECK(bare.read("hooks/post-receive") == "#!/bin/sh\nexit 3\n");
  CHECK(remove_hook(bare.session, bare.path.string()) == exit_failed);
  REQUIRE(bare.install(true) == exit_ok);
  CHECK(bare.read("hooks/post-receive.before-vigild") == "#!/bin/sh\nexit 3\n");
  CHECK(bare.install(true) == exit_ok);  // its own again: the other stays where it is
  CHECK(bare.read("hooks/post-receive.before-vigild") == "#!/bin/sh\nexit 3\n");
  CHECK(remove_hook(bare.session, bare.path.string()) == exit_ok);
  CHECK(bare.read("hooks/post-receive") == "#!/bin/sh\nexit 3\n");
}

TEST_CASE("where git has no hooks, nothing is written") {
  const Bare bare;
  bare.write("config", "[core]\n\thooksPath = /etc/hooks\n");
  CHECK(bare.install() == exit_failed);
  CHECK_FALSE(fs::exists(bare.path / "hooks"));
  CHECK_FALSE(hooks_folder("/nonexistent/repo").has_value());
}
