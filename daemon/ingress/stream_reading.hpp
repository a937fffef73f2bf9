#pragma once
// What messages and answers of exchanges have in common: fields by their names. Private to the
// stream_*.cpp that read them. Pure.
#include "core/json.hpp"
#include "daemon/ingress/stream_message.hpp"

namespace vigil::ingress {

// Unix time in s, ms, us or ns by its size, or with a fraction of a second; or RFC 3339.
std::optional<TimePoint> exchange_time(std::string_view text);
std::optional<std::uint64_t> whole_number(std::string_view text);

struct NamedTrade {
  std::string_view symbol, price, amount, time, number, id;
};
// A trade without a time is of now.
Result<Trade> trade_of(const NamedTrade& said, TimePoint now);

// Trades of form json, by the mapping.
Result<std::vector<Trade>> mapped_trades(const config::Mapping& table, const json::value& root,
                                         TimePoint now);

}  // namespace vigil::ingress
