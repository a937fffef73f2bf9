#pragma once
// Server-sent events as they come in pieces: the `data` of each event. Pure; any thread.
// Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
#include <functional>
#include <string>
#include <string_view>

namespace vigil::models {

class EventStream {
 public:
  // Calls `told` with the data of each event that is complete. False: a line or an event is longer
  // than bytes_max, and nothing more is read.
  bool take(std::string_view bytes, const std::function<void(std::string_view data)>& told);

  static constexpr std::size_t bytes_max = 1024 * 1024;

 private:
  bool end_line(const std::function<void(std::string_view data)>& told);

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  // the last byte was \r: a \n that follows belongs to it
};

}  // namespace vigil::models
