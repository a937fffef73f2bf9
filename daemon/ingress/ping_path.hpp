#pragma once
// What stands in the address of a ping. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::ingress {

// The steps behind /ping/, at most four; more is nobody's address.
std::vector<std::string_view> ping_steps(std::string_view path);

struct PingVerb {
  std::string state = "ok";  // ok, start, fail, log
  std::optional<int> exit;
};
// "", "start", "fail", "log", "0" to "255". Nothing when it is none of them.
std::optional<PingVerb> ping_verb(std::string_view step);

// The value of `rid` in the query; empty: none. Nothing when it is no id: 1 to 64 letters, digits
// and dashes, as a UUID is.
std::optional<std::string> ping_run(std::string_view target);

// What is kept of what a job wrote: its beginning and its end, in valid UTF-8.
constexpr std::size_t ping_head_bytes = 2 * 1024;
constexpr std::size_t ping_tail_bytes = 8 * 1024;
std::string ping_body(std::string_view body);

}  // namespace vigil::ingress
