#include "daemon/models/sse.hpp"

#include <utility>

namespace vigil::models {

bool EventStream::take(std::string_view bytes,
                       const std::function<void(std::string_view data)>& told) {
  while (!bytes.empty()) {
    if (after_return_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_return_ = false;
    const auto end = bytes.find_first_of("\r\n");
    const auto part = bytes.substr(0, end);
    if (line_.size() + data_.size() + part.size() > bytes_max) return false;
    line_ += part;
    if (end == std::string_view::npos) return true;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!end_line(told)) return false;
  }
  return true;
}

bool EventStream::end_line(const std::function<void(std::string_view data)>& told) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    if (has_data_) told(data_);
    data_.clear();
    has_data_ = false;
    return true;
  }
  const std::string_view text = line;
  if (!text.starts_with("data")) return true;  // comments, and fields that repeat what data says
  auto value = text.substr(4);
  if (!value.empty() && value.front() != ':') return true;
  if (!value.empty()) value.remove_prefix(1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
  return data_.size() <= bytes_max;
}

}  // namespace vigil::models
