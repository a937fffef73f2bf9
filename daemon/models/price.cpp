#include "daemon/models/price.hpp"

#include <algorithm>
#include <cmath>

namespace vigil::models {

std::int64_t money_micros(const Usage& usage, const config::Price& price) {
  // A price is of a million tokens, so a token costs that many millionths.
  const double micros = static_cast<double>(usage.input) * price.input +
                        static_cast<double>(usage.output) * price.output +
                        static_cast<double>(usage.cache_read) * price.cache_read +
                        static_cast<double>(usage.cache_write) * price.cache_write;
  return std::llround(micros);
}

json::object cost_of(const Usage& usage, std::int64_t micros) {
  json::object out{{"model_calls", 1},
                   {"tokens", usage.sum()},
                   {"input_tokens", usage.input},
                   {"output_tokens", usage.output}};
  if (usage.cache_read > 0) out["cache_read_tokens"] = usage.cache_read;
  if (usage.cache_write > 0) out["cache_write_tokens"] = usage.cache_write;
  if (!usage.told) out["estimated_tokens"] = usage.sum();
  if (micros > 0) out["money_micros"] = micros;
  return out;
}

std::int64_t estimated_tokens(std::string_view text) {
  const auto wide = std::ranges::count_if(text, [](char c) { return (c & 0x80) != 0; });
  const auto plain = static_cast<std::int64_t>(text.size()) - wide;
  return (plain + 3) / 4 + wide / 2;
}

}  // namespace vigil::models
