#include "daemon/delivery/answers.hpp"

#include "daemon/http/refusal.hpp"

namespace vigil::delivery {

Outcome outcome_of(const http::Failure& failure) {
  if (failure.may_have_arrived) return unanswered(failure.error.message);
  if (failure.worth_retrying) return retry_later(failure.error.message);
  return failed(failure.error.message);
}

Outcome outcome_of(const http::Answer& answer, TimePoint now) {
  auto refusal = http::refusal_of(answer, now);
  if (refusal.worth_retrying) return retry_later(std::move(refusal.text), refusal.not_for);
  return failed(std::move(refusal.text));
}

}  // namespace vigil::delivery
