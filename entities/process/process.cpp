#include "entities/process/process.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "entities/case_key.hpp"
#include "entities/rules/scope.hpp"

namespace vigil::entities {
namespace {

class Process final : public Guardian {
 public:
  explicit Process(std::string case_path) : case_path_(std::move(case_path)) {}

  Interest interest(const Event& event) const override {
    const EventView view(event);
    auto key = view.scalar_text(case_path_).value_or("");
    if (key.empty() && case_path_ != "subject") {
      return Interest::none(fmt::format("it has no text at '{}', its case", case_path_));
    }
    if (key.empty()) key = event.type;  // what is about nothing in particular is kept by its type
    return Interest::in(case_key_of(std::move(key)));
  }

  Decision decide(const Wake&, const Recollection&) const override {
    throw std::logic_error("a process decides in its child");
  }

 private:
  std::string case_path_;
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_process(const config::Entity& entity) {
  const auto& path = std::get<config::Process>(entity.of).case_path;
  if (auto known = check_event_path(path); !known) {
    return fail(ErrorCode::invalid_input, "process.case_path: " + known.error().message);
  }
  return std::make_unique<Process>(path);
}

}  // namespace vigil::entities
