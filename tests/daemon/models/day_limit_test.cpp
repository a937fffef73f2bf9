#include "daemon/models/day_limit.hpp"

#include <doctest/doctest.h>

#include "models_world.hpp"

namespace vigil::models {
namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

Reply ok(std::string body) { return {200, std::move(body), {}, Reply::Manner::answer}; }

config::Model model_with(config::ModelBudget budget) {
  config::Model out;
  out.name = "m";
  out.budget = budget;
  return out;
}

}  // namespace

TEST_CASE("there is room for what fits, and for what never would while anything is left") {
  CHECK(has_room(0, 1'000'000, 1'000'000));
  CHECK(has_room(10, 4, 6));
  CHECK_FALSE(has_room(10, 5, 6));
  CHECK(has_room(10, 9, 11));
  CHECK_FALSE(has_room(10, 10, 11));
  CHECK_FALSE(has_room(10, 10, 1));
}

TEST_CASE("calls that go on count as what they may take, ended ones as what they took") {
  DayLimits days;
  const auto model = model_with({.tokens = 100, .money_cents = 0, .requests = 0});
  {
    const auto one = days.book(model, {1, 60, 0}, noon);
    CHECK(days.reserved().at("m").tokens == 60);
    const auto why = days.refusal(model, {1, 60, 0}, noon);
    CHECK(why.find("model.m.budget.tokens = 100, spent 0, set aside 60, this may take 60") !=
          std::string::npos);
    CHECK(why.find("wait until 2026-11-24T00:00:00.000Z") != std::string::npos);
    one->took = {1, 30, 0};
  }
  CHECK(days.reserved().at("m").tokens == 0);
  CHECK(days.refusal(model, {1, 60, 0}, noon).empty());
  CHECK_FALSE(days.refusal(model, {1, 71, 0}, noon).empty());
  CHECK(days.refusal(model, {1, 71, 0}, noon + 12h).empty());
}

TEST_CASE("what was taken is written down, and read again by who starts anew") {
  std::map<std::string, Taken> rows;
  const Books books{
      [&](const std::string& model, const std::string& day) { return rows[day + " " + model]; },
      [&](const std::string& model, const std::string& day, const Taken& more) {
        rows[day + " " + model] += more;
      }};
  const auto model = model_with({.tokens = 0, .money_cents = 3, .requests = 2});
  {
    DayLimits days;
    days.keep(books);
    days.book(model, {1, 10, 100}, noon)->took = {1, 10, 20'000};
    days.book(model, {1, 10, 100}, noon);  // refused at the gate: nothing was sent
  }
  CHECK(rows.size() == 1);
  CHECK(rows.at("2026-11-23 m").requests == 1);
  DayLimits days;
  days.keep(books);
  CHECK(days.refusal(model, {1, 10, 10'000}, noon).empty());
  CHECK(days.refusal(model, {1, 10, 10'001}, noon).find("money_cents = 3, spent 2") !=
        std::string::npos);
  // A call that ends after midnight is of the day on which it began.
  auto late = days.book(model, {1, 10, 0}, noon);
  CHECK(days.refusal(model, {1, 10, 0}, noon + 12h).empty());
  late->took = {1, 5, 0};
  late.reset();
  CHECK(rows.at("2026-11-23 m").requests == 2);
  CHECK(days.reserved().at("m").requests == 0);
}

TEST_CASE("a model that is over its limit is not asked, and the next one stands in") {
  ModelsWorld world;
  world.add("b");
  world.settings.models["m"].fallback = {"b"};
  world.settings.models["m"].budget.requests = 1;
  world.apply();
  world.server.replies = {ok(chat("from m", 4, 2)), ok(chat("from b", 4, 2))};
  CHECK(world.run(world.attempt(ModelsWorld::ask())).result == "from m");
  CHECK(world.run(world.attempt(ModelsWorld::ask())).result == "from b");
  CHECK(world.server.heard.size() == 2);
  world.settings.models["m"].fallback = {};
  world.apply();
  const auto refused = world.run(world.attempt(ModelsWorld::ask()));
  CHECK_FALSE(refused.ok);
  CHECK_FALSE(refused.retryable);
  CHECK(refused.error.find("model 'm': its requests of the day are spent: model.m.budget.requests "
                           "= 1, spent 1") == 0);
  CHECK(world.server.heard.size() == 2);
  world.clock.advance_by(24h);
  world.server.replies = {ok(chat("again", 4, 2))};
  CHECK(world.run(world.attempt(ModelsWorld::ask())).result == "again");
}

}  // namespace vigil::models
