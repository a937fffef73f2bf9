#pragma once
// What the guardian writes itself: answers, into Drafts or to be sent, and forwards. Private to
// this folder; pure.
#include <string>
#include <vector>

#include "entities/comms/course.hpp"

namespace vigil::entities::comms {

enum class Way { draft, send };
// An answer to a person. Machines and lists get none, and no thread gets many.
void write_answer(Course& course, const json::value& data, const std::string& text, Way way);

// What the mail says, to somebody else. Its attachments are named, not sent.
void forward_mail(Course& course, const json::value& data, const std::vector<std::string>& to);

// What remembered documents say to the questions of a mail, with the sources, into Drafts. Where
// they say nothing, nothing is written.
void answer_questions(Course& course, const json::value& data);

// So that questions find the mail as they find documents.
void index_mail(Course& course, const json::value& data);
void forget_mail(Course& course, const json::value& data);

}  // namespace vigil::entities::comms
