#include "config/state_dir.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/load.hpp"
#include "config/node.hpp"

namespace vigil::config {
namespace {

namespace fs = std::filesystem;

constexpr int attempts_max = 100;

// The first `lines` lines; all of them when there are not so many.
std::string_view head_of(std::string_view text, int lines) {
  std::size_t end = 0;
  for (int i = 0; i < lines && end != std::string_view::npos; ++i) {
    end = text.find('\n', end);
    if (end != std::string_view::npos) ++end;
  }
  return text.substr(0, end);
}

// A mistake may show long after it was made, as with a bracket that is never closed.
std::string stated_in(std::string_view text) {
  int lines = static_cast<int>(std::ranges::count(text, '\n')) + 1;
  for (int attempt = 0; attempt < attempts_max && lines > 0; ++attempt) {
    const auto document = parse_toml(head_of(text, lines), "");
    if (document) {
      const auto* daemon = document->find("daemon");
      const auto* stated = daemon == nullptr ? nullptr : daemon->find("state_dir");
      const bool good = stated != nullptr && stated->kind == Node::Kind::text;
      return good ? stated->text : std::string();
    }
    lines = std::min(lines, document.error().line) - 1;
  }
  return {};
}

}  // namespace

std::string find_state_dir(const std::string& path) {
  std::error_code failed;
  fs::path main = path;
  if (fs::is_directory(main, failed)) main /= "vigild.toml";
  std::ifstream in(main, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto stated = stated_in(text);
  if (!stated.empty()) {
    return fs::absolute(main.parent_path() / stated, failed).lexically_normal().string();
  }
  const auto defaults = load_text("", "defaults");
  return std::get<Loaded>(defaults).settings.daemon.state_dir;
}

}  // namespace vigil::config
