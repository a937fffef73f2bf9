#pragma once
// Which conversation something belongs to. Pure; any thread.
#include <string>
#include <string_view>

#include "core/event.hpp"

namespace vigil::entities::comms {

// The subject without what answers and forwards put before it ("Re:", "AW:", "Fwd: [list]"), in
// lower case, blanks made one.
std::string plain_subject(std::string_view subject);
// Whether something was put before it that only an answer has.
bool is_answer_subject(std::string_view subject);

// The case of a mail: its oldest reference, else what it answers, else itself. One that says it is
// an answer, but not to what, goes by its subject and its correspondents (RFC 5256 does likewise,
// by the subject alone).
std::string mail_thread(const json::value& data);
std::string chat_thread(const json::value& data);
std::string meeting_case(const json::value& data);

}  // namespace vigil::entities::comms
