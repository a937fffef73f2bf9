#include "entities/comms/comms.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/comms/course.hpp"
#include "entities/comms/model_mail.hpp"
#include "entities/comms/thread.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities {
namespace {

using namespace comms;

class CommsGuardian final : public Guardian {
 public:
  explicit CommsGuardian(CommsSetup setup) : setup_(std::move(setup)) {}

  std::vector<std::string> standing_cases() const override { return {std::string(desk_case)}; }

  Interest interest(const Event& event) const override {
    std::string key;
    if (event.type.starts_with("mail.")) {
      key = mail_thread(event.data);
    } else if (event.type.starts_with("chat.")) {
      key = chat_thread(event.data);
    } else if (event.type.starts_with("calendar.")) {
      key = meeting_case(event.data);
    } else {
      return Interest::none("it is no mail, no chat and no meeting");
    }
    if (key.empty()) return Interest::none("it does not say which message or meeting it is");
    return Interest::in(std::move(key));
  }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    Course course{setup_, wake, memory, memory.case_state()};
    std::string rule = "nothing";
    if (wake.case_key == desk_case) {
      rule = on_desk(course);
    } else if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
      for (const auto& event : events->events) rule = on_event(course, *event);
    } else if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
      rule = ended->report.title.starts_with(asked_title) ? on_mail_asked(course, ended->report)
                                                          : on_triage(course, ended->report);
    } else if (const auto* due = std::get_if<TimerDue>(&wake.because)) {
      rule = due->name == "brief" ? on_meeting_timer(course, *due) : on_mail_timer(course, *due);
    } else if (const auto* settled = std::get_if<ActionSettled>(&wake.because)) {
      course.say(fmt::format("its {} was {}", settled->kind, settled->outcome));
      rule = "action";
    } else if (const auto* given = std::get_if<FeedbackGiven>(&wake.because)) {
      rule = on_feedback(course, *given);
    }
    return finish(std::move(course), std::move(rule));
  }

 private:
  static std::string on_event(Course& course, const Event& event) {
    if (event.type.starts_with("mail.")) return on_mail_event(course, event);
    if (event.type.starts_with("chat.")) return on_chat(course, event);
    return on_meeting(course, event);
  }

  static Decision finish(Course course, std::string rule) {
    auto& decision = course.decision;
    std::string why;
    for (const auto& remark : course.remarks) why += (why.empty() ? "" : "; ") + remark;
    decision.why = why.empty() ? "nothing follows from it" : cut_text(why, 1000);
    decision.rule = std::move(rule);
    const bool asked = !decision.plans.empty() || !decision.actions.empty();
    decision.verdict = asked ? Verdict::acted : Verdict::noted;
    if (decision.rule == "duplicate") decision.verdict = Verdict::ignored;
    decision.state = std::move(course.state);
    return std::move(decision);
  }

  CommsSetup setup_;
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_comms(const config::Entity& entity) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("entity {}: {}", vigil::quoted(entity.name), why));
  };
  const auto* settings = config::find_kind<config::Comms>(entity);
  if (settings == nullptr) return refuse("kind \"comms\" needs a [comms] table");
  auto setup = make_setup(*settings);
  if (!setup) return refuse(setup.error().message);
  setup->advice = *entity.advice;
  return std::make_unique<CommsGuardian>(std::move(*setup));
}

}  // namespace vigil::entities
