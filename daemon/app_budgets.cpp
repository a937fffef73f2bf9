// What models take of a day is kept in the database, so that a start does not forget it.
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "daemon/app_state.hpp"
#include "storage/day_use.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

std::string account_of(const std::string& model) { return "model:" + model; }

}  // namespace

void App::State::keep_model_books() {
  models::Books books;
  books.read = [this](const std::string& model, const std::string& day) {
    storage::DayUse use(runtime->reader().database());
    const auto spent = [&](const char* kind) {
      return use.spent(account_of(model), {day, {}, {}}, kind);
    };
    return models::Taken{spent("requests"), spent("tokens"), spent("money_micros")};
  };
  books.add = [this](const std::string& model, const std::string& day, const models::Taken& more) {
    auto change = [account = account_of(model), day, more](storage::Stores& stores) {
      const auto add = [&](const char* kind, std::int64_t amount) {
        if (amount > 0) stores.spend.settle(account, day, kind, 0, amount);
      };
      add("requests", more.requests);
      add("tokens", more.tokens);
      add("money_micros", more.money_micros);
    };
    group.spawn("model took", [this, change]() -> asio::awaitable<void> {
      auto committing = writer->commit(change);
      Result<void> done = co_await std::move(committing);
      if (!done) {
        log_warn("what a model took is not in the day's sum: {}",
                 vigil::quoted(done.error().message));
      }
    });
  };
  minds->keep(std::move(books));
}

json::object App::State::models_reserved() const {
  json::object out;
  for (const auto& [model, of] : minds->reserved()) {
    out[model] = {{"requests", of.requests},
                  {"tokens", of.tokens},
                  {"money_cents", (of.money_micros + 9'999) / 10'000}};
  }
  return out;
}

}  // namespace vigil
