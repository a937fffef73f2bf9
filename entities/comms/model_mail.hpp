#pragma once
// What a model makes of a mail: what a long thread comes to, each point with a quotation that must
// stand in the mail, and a draft of an answer, which waits for a person before it is even put into
// Drafts. Private to this folder; pure.
#include "entities/analyser.hpp"
#include "entities/comms/course.hpp"

namespace vigil::entities::comms {

constexpr std::string_view asked_title = "mail ";  // of such swarms
constexpr std::size_t long_thread = 4;             // messages; shorter ones are read as they are

// A mail of a person to the user: asks, if a model may be asked and there is something to ask.
void ask_about_mail(Course& course, const json::value& data);
// Such a swarm ended.
std::string on_mail_asked(Course& course, const swarm::Report& report);

// comms.model_mail: of inputs.said the points whose quotations stand in `text`, and the draft.
Result<json::value> run_model_mail(const Request& request);

}  // namespace vigil::entities::comms
