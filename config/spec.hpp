#pragma once
// What is known about one key of the configuration. The schema states it once; the loader, the
// printer and the reference all read it there, so they cannot disagree.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/time.hpp"

namespace vigil::config {

enum class Presence { optional, required };
enum class Takes { reload, restart };  // what it takes for a change to have effect

// What a text must look like, beyond being a text.
enum class Form {
  free,
  path,           // resolved against the directory of the file it stands in
  program,        // of a list: argv; its first element is resolved when it holds a slash
  argv,           // of a list: argv that is left alone, it is relative to somewhere else
  zone,           // IANA name
  cron,           // five fields
  url,            // http or https
  listen,         // address:port
  address_range,  // address or address/bits
  destination,    // an address range, a host or *.host, or one of them and a port
  variable,       // of an environment
  header_name,
  dotted_path,  // into a JSON document
  event_type,   // a.b.c
  pattern,      // a name in which `*` stands for any run of characters
  task_name,
  name,
  clock,  // of an integer: minutes of the day, written "08:00"
};

struct Spec {
  std::string_view name;
  std::string_view meaning;  // one sentence, for the reference
  Presence presence = Presence::optional;
  Form form = Form::free;
  // Of integers and sizes; of durations in microseconds; of lists their length.
  std::int64_t least = 0;
  std::optional<std::int64_t> most{};
  std::span<const std::string_view> choices{};  // of a text: the only ones
  std::string_view default_text{};              // instead of the member's own default
  Takes takes = Takes::reload;
};

constexpr std::int64_t in_us(Duration duration) { return duration.count(); }

}  // namespace vigil::config
