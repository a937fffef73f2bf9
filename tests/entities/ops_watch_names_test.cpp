// A rule about a reading that its analyser never gives is refused when the watch is made.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ops/costs.hpp"
#include "entities/ops/host_readings.hpp"
#include "entities/ops/watch.hpp"

using namespace vigil;
using namespace vigil::entities::ops;

namespace {

std::string refusal_of(const std::string& analyser, const std::string& reading) {
  config::OpsWatch watch;
  watch.name = "w";
  watch.analyser = analyser;
  config::OpsWatchRule rule;
  rule.reading = reading;
  rule.above = 1;
  watch.rules.push_back(rule);
  const auto made = make_watch(watch);
  return made ? "" : made.error().message;
}

}  // namespace

TEST_CASE("a reading that its analyser never gives is named, with the nearest one that it does") {
  CHECK(refusal_of("ops.host", "disk.fre").contains("rule[0].reading: ops.host measures no"));
  CHECK(refusal_of("ops.host", "disk.fre").contains("disk.free"));
  CHECK(refusal_of("ops.probe", "certificate.day{target=\"x\"}").contains("certificate.days"));
  CHECK(refusal_of("ops.logs", "cost.month").contains("ops.logs measures no"));
  CHECK(refusal_of("ops.metrics", "anything_at_all").empty());
  CHECK(refusal_of("ops.readings", "value").empty());
  CHECK(refusal_of("ops.hots", "load").contains("there is no \"ops.hots\""));
}

TEST_CASE("whatever this machine and a bill give may stand in a rule") {
  entities::Request request;
  request.input = json::object{};
  const auto host = run_host(request);
  REQUIRE(host.has_value());
  for (const auto& one : find_path(*host, "readings")->as_array()) {
    CHECK(refusal_of("ops.host", std::string(*find_text(one, "name"))) == "");
  }
  std::string text =
      "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName,ChargeCategory,ChargeFrequency\n";
  for (const auto* day : {"01", "02", "03", "04"}) {
    text += "10,EUR,2024-09-" + std::string(day) + " 00:00:00,vm,Usage,Usage-Based\n";
  }
  Bill bill;
  REQUIRE(read_costs(text, "BilledCost", bill));
  const auto told = cost_readings(bill, {{"", 100}}).to_json();
  for (const auto& one : told.at("readings").as_array()) {
    CHECK(refusal_of("ops.costs", std::string(*find_text(one, "name"))) == "");
  }
}
