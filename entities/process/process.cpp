#include "entities/process/process.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "entities/rules/scope.hpp"

namespace vigil::entities {
namespace {

constexpr std::size_t case_key_bytes_max = 400;

class Process final : public Guardian {
 public:
  explicit Process(std::string case_path) : case_path_(std::move(case_path)) {}

  Interest interest(const Event& event) const override {
    const EventView view(event);
    const auto key = view.scalar_text(case_path_);
    if (!key || key->empty()) {
      return Interest::none(fmt::format("it has no text at '{}', its case", case_path_));
    }
    return Interest::in(key->substr(0, case_key_bytes_max));
  }

  Decision decide(const Wake&, const Recollection&) const override {
    throw std::logic_error("a process decides in its child");
  }

 private:
  std::string case_path_;
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_process(const config::Entity& entity) {
  return std::make_unique<Process>(std::get<config::Process>(entity.of).case_path);
}

}  // namespace vigil::entities
