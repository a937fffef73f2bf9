#include "storage/descent.hpp"

#include <algorithm>
#include <charconv>

namespace vigil::storage {

int descent_of(const std::optional<Entry>& entry) {
  if (!entry) return 0;
  const auto* told = entry->asked.if_contains(descent_member);
  return told != nullptr && told->is_int64() ? static_cast<int>(told->get_int64()) : 0;
}

int descent_of(std::string_view header) {
  int out = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), out);
  const bool whole = error == std::errc() && end == header.data() + header.size();
  return whole ? std::clamp(out, 0, descent_told_max) : 0;
}

}  // namespace vigil::storage
