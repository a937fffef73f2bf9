#include "entities/case_key.hpp"

#include "core/digest.hpp"
#include "core/json.hpp"

namespace vigil::entities {
namespace {

constexpr std::size_t digest_bytes = 8;
constexpr std::size_t kept_bytes = case_key_bytes_max - 2 * digest_bytes - 2;

}  // namespace

std::string case_key_of(std::string text) {
  const bool is_text = is_valid_utf8(text);
  if (is_text && text.size() <= case_key_bytes_max) return text;
  const auto digest = sha256(text);
  auto key = to_valid_utf8(text);
  std::size_t end = std::min(key.size(), kept_bytes);
  while (end > 0 && end < key.size() && (static_cast<unsigned char>(key[end]) & 0xc0) == 0x80)
    --end;
  key.resize(end);
  return key + "~" + to_hex(as_bytes(digest).substr(0, digest_bytes));
}

}  // namespace vigil::entities
