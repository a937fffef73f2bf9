// Messages of SNS: who may send, what proves them, how a subscription is confirmed. The messages
// and the certificate in tests/data/sns are our own, made with openssl in the published form.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>

#include "daemon/ingress/sns.hpp"
#include "tests/daemon/ingress/door_world.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

namespace asio = boost::asio;
using testing::DoorWorld;
using testing::error_of;

std::string file(const std::string& name) {
  std::ifstream in(source_dir() + "/tests/data/sns/" + name);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

json::object message(std::string_view name) {
  const auto all = parse_json(file("messages.json"));
  REQUIRE(all.has_value());
  return all->at(name).as_object();
}

struct Topic : DoorWorld {
  Topic() {
    clock.advance_to(*parse_rfc3339("2026-12-01T10:00:02Z"));
    hook().topics = {"arn:aws:sns:eu-west-1:123456789012:alarms"};
    door.fetch_with([this](http::Request request) { return fetch(std::move(request)); });
    apply();
  }
  config::Webhook& hook() {
    if (!settings.sources.contains("aws")) return add("aws", config::Scheme::sns, {});
    return std::get<config::Webhook>(settings.sources["aws"].of);
  }
  Response say(const json::object& what) {
    return post("/hooks/aws", to_text(json::value(what)),
                {{"content-type", "text/plain; charset=UTF-8"}});
  }
  asio::awaitable<http::Received> fetch(http::Request request) {
    asked.push_back(request.url);
    if (!reachable) co_return std::unexpected(http::Failure{{ErrorCode::unavailable, "no way"}});
    http::Answer answer;
    answer.status = 200;
    answer.body = request.url.ends_with(".pem") ? certificate : "<ConfirmSubscriptionResponse/>";
    co_return answer;
  }
  std::string certificate = file("certificate.pem");
  bool reachable = true;
  std::vector<std::string> asked;
};

}  // namespace

TEST_CASE("an alarm through SNS is proven by its signature, with both versions, and kept whole") {
  Topic world;
  CHECK(world.say(message("alarm")).status == 202);
  const auto& event = world.last().event;
  CHECK(event.type == "sns.notification");
  CHECK(event.uid == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
  CHECK(event.subject == "arn:aws:sns:eu-west-1:123456789012:alarms");
  CHECK(event.taint == Taint::untrusted);
  CHECK(world.say(message("over")).status == 202);
  CHECK(world.say(message("alarm")).status == 200);  // sent again: a duplicate
  CHECK(world.stored.size() == 2);
  CHECK(world.asked.size() == 1);  // the certificate is kept
}

TEST_CASE("whatever of a message is changed, its signature no longer fits") {
  Topic world;
  for (const auto* name : {"Message", "MessageId", "Subject", "Timestamp"}) {
    auto changed = message("alarm");
    changed[name] = std::string(changed[name].as_string()) + "x";
    INFO(name);
    CHECK(world.say(changed).status == 401);
  }
  auto bare = message("alarm");
  bare.erase("Subject");
  CHECK(world.say(bare).status == 401);
  auto older = message("alarm");
  older["SignatureVersion"] = "1";
  CHECK(world.say(older).status == 401);
  CHECK(world.stored.empty());
}

TEST_CASE("a topic that is not listed, and an address that is not of AWS, are refused unasked") {
  Topic world;
  auto strange = message("alarm");
  strange["TopicArn"] = "arn:aws:sns:eu-west-1:999999999999:alarms";
  CHECK(error_of(world.say(strange)).contains("not in `topics`"));
  for (const auto* url :
       {"https://sns.eu-west-1.amazonaws.com.example.org/a.pem",
        "http://sns.eu-west-1.amazonaws.com/a.pem", "https://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt", "file:///etc/passwd", ""}) {
    auto elsewhere = message("alarm");
    elsewhere["SigningCertURL"] = url;
    INFO(url);
    CHECK(error_of(world.say(elsewhere)).contains("SigningCertURL"));
  }
  CHECK(world.asked.empty());
  CHECK(error_of(world.post("/hooks/aws", R"({"AlarmName":"raw"})", {})).contains("raw message"));
  CHECK(world.post("/hooks/aws", "{", {}).status == 400);
  CHECK(world.stored.empty());
}

TEST_CASE("a certificate that cannot be fetched, or is over, proves nothing") {
  Topic world;
  world.reachable = false;
  CHECK(world.say(message("alarm")).status == 503);  // it comes again
  world.reachable = true;
  world.certificate = "no certificate";
  CHECK(world.say(message("alarm")).status == 401);
  world.certificate = file("certificate.pem");
  world.clock.advance_to(*parse_rfc3339("2199-01-01T00:00:00Z"));
  CHECK(error_of(world.say(message("alarm"))).contains("not valid at this time"));
  CHECK(world.stored.empty());
}

TEST_CASE("a certificate of the configuration is used instead of fetching one") {
  Topic world;
  world.hook().certificate = source_dir() + "/tests/data/sns/certificate.pem";
  world.apply();
  CHECK(world.say(message("alarm")).status == 202);
  CHECK(world.asked.empty());
  world.hook().certificate = source_dir() + "/README.md";
  CHECK_FALSE(world.try_apply().has_value());
}

TEST_CASE("a subscription is confirmed when the configuration says so, else a person is told") {
  Topic world;
  CHECK(world.say(message("confirmation")).status == 202);
  CHECK(world.last().event.type == "sns.subscription_confirmation");
  CHECK(find_text(world.last().data, "SubscribeURL")->starts_with("https://sns.eu-west-1."));
  CHECK(world.asked.size() == 1);  // the certificate alone

  Topic willing;
  willing.hook().confirm = true;
  willing.apply();
  CHECK(willing.say(message("confirmation")).status == 202);
  REQUIRE(willing.asked.size() == 2);
  CHECK(willing.asked[1].contains("Action=ConfirmSubscription"));
  CHECK(willing.say(message("alarm")).status == 202);
  CHECK(willing.asked.size() == 2);

  Topic late;
  late.hook().confirm = true;
  late.hook().certificate = source_dir() + "/tests/data/sns/certificate.pem";
  late.apply();
  late.reachable = false;
  CHECK(late.say(message("confirmation")).status == 503);
  late.reachable = true;
  CHECK(late.say(message("confirmation")).status ==
        200);  // asked again: it is known, and confirmed
  CHECK(late.asked.size() == 2);
}

}  // namespace vigil::ingress
