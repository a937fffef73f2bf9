// Alerts as monitoring systems really post them.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "entities/ops/sources.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ops;

namespace {

namespace fs = std::filesystem;
const std::string folder = source_dir() + "/../shared/data/alerts";

// A file that holds a request is its body: what follows the empty line.
std::string body_of(const fs::path& path) {
  std::ostringstream whole;
  whole << std::ifstream(path, std::ios::binary).rdbuf();
  auto text = whole.str();
  if (path.extension() != ".http") return text;
  auto end = text.find("\r\n\r\n");
  if (end != std::string::npos) return text.substr(end + 4);
  end = text.find("\n\n");
  return end == std::string::npos ? text : text.substr(end + 2);
}

Result<Delivery> read(const std::string& text) {
  auto data = parse_json(text);
  REQUIRE(data.has_value());
  Event event;
  event.source = "monitor";
  event.data = std::move(*data);
  return read_alerts(event);
}

Delivery file(const std::string& name) {
  auto delivery = read(body_of(folder + "/" + name));
  REQUIRE(delivery.has_value());
  return std::move(*delivery);
}

bool no_data() {
  if (fs::exists(folder)) return false;
  MESSAGE("skipped: there is no " << folder);
  return true;
}

std::string label(const Alert& alert, const std::string& name) {
  const auto found = alert.labels.find(name);
  return found == alert.labels.end() ? "" : found->second;
}

}  // namespace

TEST_CASE("every recorded message is read, and what is used of it is there") {
  if (no_data()) return;
  int read_files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".http" && extension != ".json")) continue;
    CAPTURE(entry.path().string());
    const auto delivery = read(body_of(entry.path()));
    REQUIRE(delivery.has_value());
    ++read_files;
    for (const auto& alert : delivery->alerts) {
      CHECK_FALSE(alert.fingerprint.empty());
      CHECK_FALSE(alert.name.empty());
      CHECK_FALSE(alert.labels.empty());
      CHECK(parse_json(to_text(json::value(to_json(alert)))).has_value());
    }
  }
  CHECK(read_files >= 9);
}

TEST_CASE("a group of Alertmanager in which one alert has resolved fires") {
  if (no_data()) return;
  const auto group = file("alertmanager/06-group-firing-one-resolved.http");
  CHECK(group.source == "alertmanager");
  REQUIRE(group.alerts.size() == 2);
  CHECK(group.alerts[0].status == Status::firing);
  CHECK(group.alerts[0].severity == Severity::critical);
  CHECK(group.alerts[0].fingerprint == "004e77e67c92f143");
  CHECK_FALSE(group.alerts[0].ends.has_value());
  CHECK(group.alerts[0].value == "404");
  CHECK(group.alerts[1].status == Status::resolved);
  CHECK(to_rfc3339(*group.alerts[1].ends) == "2026-11-23T06:25:24.057Z");
  CHECK(group.group_labels.at("alertname") == "LoadAverage_1MIN");
}

TEST_CASE("escapes arrive as what they stand for, and not as lines") {
  if (no_data()) return;
  const auto group = file("alertmanager/13-escapes.http");
  REQUIRE(group.alerts.size() == 1);
  CHECK(label(group.alerts[0], "path") == "C:\\temp\\\"x\"");
  CHECK(label(group.alerts[0], "note") == "<b>&</b>");  // U+2028 behind it is a space, and cut
}

TEST_CASE("Grafana's form is known, with its values") {
  if (no_data()) return;
  const auto group = file("grafana/webhook.json");
  CHECK(group.source == "grafana");
  REQUIRE(group.alerts.size() == 2);
  CHECK(group.alerts[0].name == "High memory usage");
  CHECK(group.alerts[0].value.find("B=44.2394") == 0);
  CHECK(to_rfc3339(*group.alerts[0].starts) == "2021-10-12T07:51:03.157Z");
  CHECK(group.alerts[0].links.front() == "https://myrunbook.com/runbook/1234");
}

TEST_CASE("an incident of PagerDuty is a case of its own") {
  if (no_data()) return;
  const auto incident = file("pagerduty/incident.priority_updated.json");
  CHECK(incident.own_case == "pagerduty/PGR0VU2");
  REQUIRE(incident.alerts.size() == 1);
  CHECK(incident.alerts[0].severity == Severity::critical);  // P1
  CHECK(incident.alerts[0].status == Status::firing);
  CHECK(label(incident.alerts[0], "service") == "API Service");
  CHECK(incident.who == "Tenex Engineer");
}

TEST_CASE("an alarm of CloudWatch is read out of its envelope") {
  if (no_data()) return;
  const auto alarm = file("aws/cloudwatch-alarm-sns.single-metric.json");
  REQUIRE(alarm.alerts.size() == 1);
  CHECK(alarm.alerts[0].name == "EXAMPLE");
  CHECK(label(alarm.alerts[0], "InstanceId") == "TestInstance");
  CHECK(label(alarm.alerts[0], "metric") == "NetworkOut");
  CHECK(to_rfc3339(*alarm.alerts[0].starts) == "2015-06-03T17:43:27.123Z");
}

TEST_CASE("a metric-math alarm has a list of metrics") {
  const json::value alarm{
      {"AlarmName", "errors"},
      {"NewStateValue", "OK"},
      {"StateChangeTime", "2026-01-02T03:04:05.000+0000"},
      {"Trigger",
       {{"Metrics",
         json::array{
             json::object{{"Id", "e1"}, {"Expression", "m1/m2*100"}},
             json::object{{"Id", "m1"}, {"MetricStat", {{"Metric", {{"MetricName", "5xx"}}}}}}}}}}};
  const json::value envelope{
      {"Type", "Notification"}, {"TopicArn", "arn:x"}, {"Message", to_text(alarm)}};
  const auto read_alarm = read(to_text(envelope));
  REQUIRE(read_alarm.has_value());
  CHECK(label(read_alarm->alerts[0], "metric") == "m1/m2*100; 5xx");
  CHECK(read_alarm->alerts[0].status == Status::resolved);
  CHECK(to_rfc3339(*read_alarm->alerts[0].ends) == "2026-01-02T03:04:05.000Z");
}

TEST_CASE("services say in their own words what became of an alert") {
  struct Row {
    std::string text;
    Status status;
    std::string own_case;
  };
  const std::vector<Row> rows{
      {R"({"event":{"event_type":"incident.acknowledged","data":{"id":"P1","title":"t",
          "status":"acknowledged"}}})",
       Status::acknowledged, "pagerduty/P1"},
      {R"({"event":{"event_type":"incident.annotated","data":{"content":"note",
          "incident":{"id":"P2","summary":"t"}}}})",
       Status::firing, "pagerduty/P2"},
      {R"({"event":{"event_type":"incident.resolved","data":{"id":"P1","title":"t"}}})",
       Status::resolved, "pagerduty/P1"},
      {R"({"action":"created","data":{"issue":{"id":"42","title":"KeyError","level":"error",
          "project":{"slug":"web"}}},"actor":{"name":"Sentry"}})",
       Status::firing, "sentry/42"},
      {R"({"action":"triggered","data":{"event":{"issue_id":"42","title":"KeyError",
          "web_url":"https://s.example/42"},"triggered_rule":"r"}})",
       Status::firing, "sentry/42"},
      {R"({"action":"resolved","data":{"issue":{"id":42,"title":"KeyError"}}})", Status::resolved,
       "sentry/42"},
      {R"({"action":"Acknowledge","alert":{"alertId":"a-1","message":"disk","priority":"P1",
          "username":"sam"}})",
       Status::acknowledged, "opsgenie/a-1"},
      {R"({"status":"DOWN","name":"web","host":"h1"})", Status::firing, ""},
      {R"({"state":"ok","title":"web","labels":{"host":"h1"}})", Status::resolved, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto delivery = read(row.text);
    REQUIRE(delivery.has_value());
    CHECK(delivery->alerts.front().status == row.status);
    CHECK(delivery->own_case == row.own_case);
  }
}

TEST_CASE("what is no alert is told apart, with a reason") {
  for (const auto* text :
       {"{}", "[]", "7", R"({"alerts":[]})", R"({"alerts":[1,2]})", R"({"status":"fine"})",
        R"({"status":"down"})", R"({"Message":"hello","TopicArn":"a"})",
        R"({"Message":"{\"AlarmName\":","TopicArn":"a"})",
        R"({"action":"created","data":{"event":{}}})",
        R"({"event":{"event_type":"service.updated","data":{"id":"S"}}})",
        R"({"AlarmName":"a","NewStateValue":"INSUFFICIENT_DATA"})"}) {
    CAPTURE(text);
    const auto delivery = read(text);
    REQUIRE_FALSE(delivery.has_value());
    CHECK_FALSE(delivery.error().message.empty());
  }
}

TEST_CASE("hostile alerts are cut to bounds and made one line") {
  json::array alerts;
  for (int i = 0; i < 1200; ++i) alerts.push_back(json::object{{"fingerprint", std::to_string(i)}});
  json::object labels;
  for (int i = 0; i < 500; ++i) labels["l" + std::to_string(i)] = std::string(5000, 'x');
  labels["alertname"] = "a\nb\x1b[31m\u202e`@all`<img>";
  labels["deep"] = json::object{{"a", 1}};
  alerts[0] = json::object{{"labels", labels},
                           {"annotations",
                            {{"runbook_url", "javascript:alert(1)"},
                             {"dashboard", "https://x/)](http://evil"},
                             {"summary", std::string(100'000, 'y')}}}};
  const auto delivery = read(to_text(json::value{{"alerts", alerts}, {"groupKey", "g"}}));
  REQUIRE(delivery.has_value());
  CHECK(delivery->alerts.size() == alerts_max);
  CHECK(delivery->truncated == 200);
  const auto& first = delivery->alerts[0];
  CHECK(first.labels.size() <= labels_max);
  CHECK(first.links.empty());
  CHECK(first.summary.size() <= summary_bytes_max + 3);
  for (const auto& [name, value] : first.labels) CHECK(value.size() <= label_value_bytes_max + 3);
  const auto told = marked("a\nb<img> @all `x` \u202e");
  CHECK(told == "a b&lt;img&gt; &#64;all \\`x\\`");
}

TEST_CASE("a text is cut between characters") {
  CHECK(plain("aä", 2) == "a...");
  CHECK(plain("\xff\xfe", 10) == "\ufffd\ufffd");
  CHECK(plain("ok\r\n", 10) == "ok");
}
