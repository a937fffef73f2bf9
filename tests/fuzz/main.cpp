// vigil-fuzz TARGET [libFuzzer's flags and corpora]; `vigil-fuzz --list` prints targets and seeds.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

using namespace vigil::fuzz;

std::vector<Target> all() {
  std::vector<Target> out;
  for (const auto table : {door_targets(), inside_targets(), mail_targets(), reader_targets()}) {
    out.insert(out.end(), table.begin(), table.end());
  }
  return out;
}

const Target* chosen = nullptr;

[[noreturn]] void list(int code) {
  for (const auto& target : all()) {
    std::printf("%s %s\n", std::string(target.name).c_str(), std::string(target.seeds).c_str());
  }
  std::exit(code);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  static const auto targets = all();
  if (*count < 2 || std::strcmp((*arguments)[1], "--list") == 0) list(*count < 2 ? 2 : 0);
  for (const auto& target : targets) {
    if (target.name == (*arguments)[1]) chosen = &target;
  }
  if (chosen == nullptr) list(2);
  // What is left are the words of libFuzzer.
  for (int i = 1; i + 1 < *count; ++i) (*arguments)[i] = (*arguments)[i + 1];
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
