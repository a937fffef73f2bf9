#pragma once
// Steps as decisions make them, where they are written, and whether what is left of them is whole:
// for the tests that take the disk away.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "recording_disk.hpp"
#include "tests/storage/place.hpp"

namespace vigil::storage {

// A directory in memory where there is one: images are many and need no real disk.
class Images {
 public:
  Images() {
    const std::filesystem::path memory = "/dev/shm";
    auto base =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    auto pattern = (base / "vigil-cut-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Images() {
    std::error_code ignored;  // memory goes with the machine
    std::filesystem::remove_all(path_, ignored);
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;
  std::string lay_out(const Image& image) {
    const auto dir = fmt::format("{}/{}", path_, ++count_);
    std::filesystem::create_directories(dir);
    for (const auto& [name, bytes] : image) {
      std::ofstream(dir + "/" + name, std::ios::binary) << bytes;
    }
    return dir;
  }
  std::string empty() { return lay_out({}); }

 private:
  std::string path_;
  int count_ = 0;
};

// Rows of several tables that only make sense together. The number of steps so far, this one
// included.
std::int64_t one_step(Stores& stores, const std::string& uid);

// Opens what is left and reads all of it: is every acknowledged step there, and none in part? Empty
// when all is well.
std::string judge(const std::string& dir, std::int64_t acknowledged);

}  // namespace vigil::storage
