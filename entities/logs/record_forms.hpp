#pragma once
// Lines of loggers whose head is not one of syslog's kind: klog, logfmt, Python, Spring,
// PostgreSQL, the containers' own prefixes. Pure.
#include <optional>
#include <string_view>

#include "entities/logs/record.hpp"

namespace vigil::entities::logs {

// "web_1  | " of compose and "stdout F " of containers, gone from the begin; the first one's name
// and the time before the second are put into the record.
std::string_view without_container(std::string_view line, Record& into);

// A line that is of such a form as a whole.
std::optional<Record> read_form(std::string_view line, TimePoint now);

// What stands between a known head and the message: "[123] app@db ERROR:  ", "7 --- [main] a.B : ",
// "- "; a level there is put into the record unless it has one.
std::string_view without_form(std::string_view message, Record& into);

}  // namespace vigil::entities::logs
