// The body of a webhook as JSON: what each content type becomes, and what is refused.
#include "daemon/ingress/body.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <random>

namespace vigil::ingress {
namespace {

using config::Scheme;

const std::string form_type = "application/x-www-form-urlencoded";

struct Read {
  std::optional<Body> body;
  std::string error;
  bool unsupported = false;
};

Read read(Scheme scheme, std::string content, const std::string& type = "application/json") {
  Request request;
  request.body = std::move(content);
  if (!type.empty()) request.headers.emplace_back("content-type", type);
  Read out;
  auto body = read_body(scheme, request, out.unsupported);
  if (body) {
    out.body = std::move(*body);
    // What is stored is what is worked on.
    CHECK(to_text(parse_json(out.body->text).value()) == to_text(out.body->data));
  } else {
    out.error = body.error().message;
    CHECK(body.error().code == ErrorCode::invalid_input);
    CHECK_FALSE(out.error.empty());
  }
  return out;
}

std::string text_of(Scheme scheme, std::string content, const std::string& type) {
  auto got = read(scheme, std::move(content), type);
  return got.body ? got.body->text : "refused: " + got.error;
}

std::string form(std::string content) {
  return text_of(Scheme::hmac, std::move(content), form_type);
}

}  // namespace

TEST_CASE("JSON stays as it came, to the last space") {
  const std::string odd = " {\"b\" : 1.50, \"a\":\"\\u00e9\",\n\"b2\":[ ]}\r\n";
  for (const auto* type : {"application/json", "", "APPLICATION/JSON; charset=utf-8", "text/json",
                           "application/vnd.api+json", "application/json ;x=y"}) {
    CAPTURE(type);
    CHECK(text_of(Scheme::github, odd, type) == odd);
  }
  for (const auto* value : {"1", "null", "\"a\"", "[]", "true"}) {
    CHECK(text_of(Scheme::standard_webhooks, value, "application/json") == value);
  }
}

TEST_CASE("what is not one JSON value is refused") {
  for (const std::string broken :
       {"{", "[1,]", "{}{}", "nul", "'a'", "{\"a\":01}", "\"\xff\"", "\"\xed\xa0\x80\"",
        "\xef\xbb\xbf{}", "{\"a\":\"\xc0\xaf\"}", "NaN", "// {}\n{}", "\"a\nb\""}) {
    CAPTURE(to_valid_utf8(broken));
    const auto got = read(Scheme::github, broken);
    CHECK_FALSE(got.body);
    CHECK_FALSE(got.unsupported);
  }
}

TEST_CASE("nesting has an end, however it is written") {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string out;
    for (std::size_t i = 0; i < depth; ++i) out += open;
    out += "1";
    for (std::size_t i = 0; i < depth; ++i) out += close;
    return out;
  };
  CHECK(read(Scheme::none, nested(json_depth_max, "[", "]")).body);
  CHECK_FALSE(read(Scheme::none, nested(json_depth_max + 1, "[", "]")).body);
  CHECK_FALSE(read(Scheme::none, nested(json_depth_max + 1, "{\"a\":", "}")).body);
  CHECK_FALSE(read(Scheme::none, std::string(3'000'000, '[')).body);
  CHECK_FALSE(form("payload=" + std::string(1'000'000, '[')).starts_with("["));
}

TEST_CASE("a form becomes an object of its fields") {
  CHECK(form("a=1&b=x+y&c=%C3%A9&d&=z&e=") == R"({"a":"1","b":"x y","c":"é","d":"","e":""})");
  CHECK(form("a=1&a=2") == R"({"a":"2"})");
  CHECK(form("a%26b=%3D&&&") == R"({"a&b":"="})");
  CHECK(form("&") == "{}");
  CHECK(form("a=100%&b=%zz&c=%4") == R"({"a":"100%","b":"%zz","c":"%4"})");
  CHECK(form("a=%00") == R"({"a":"\u0000"})");
  CHECK(form("a=%FF") == "refused: the form is not UTF-8");
  CHECK(form("%FF=a") == "refused: the form is not UTF-8");
}

TEST_CASE("a form's payload is the body, wherever it stands") {
  CHECK(form("payload=%7B%22a%22%3A+1%7D") == R"({"a": 1})");
  CHECK(form("token=x&payload=%5B1%5D&b=2") == "[1]");
  CHECK(form("payload=%7B").starts_with("refused: "));
  CHECK(form("payload=").starts_with("refused: "));
}

TEST_CASE("what curl -d sends is JSON whatever it is called") {
  CHECK(form(R"({"a":"b=c&d"})") == R"({"a":"b=c&d"})");
  CHECK(form("\n [1]") == "\n [1]");
  CHECK(form("{\"a\"").starts_with("refused: "));
}

TEST_CASE("plain text is for senders that send it") {
  const std::string type = "text/plain; charset=utf-8";
  for (const auto scheme : {Scheme::tradingview, Scheme::none, Scheme::bearer}) {
    CHECK(text_of(scheme, "btc \"up\"\n", type) == R"({"text":"btc \"up\"\n"})");
    CHECK(text_of(scheme, R"({"ticker":"BTC"})", type) == R"({"ticker":"BTC"})");
    CHECK(text_of(scheme, "\xff", type).starts_with("refused: "));
  }
  for (const auto scheme : {Scheme::github, Scheme::stripe, Scheme::hmac}) {
    const auto got = read(scheme, "up", type);
    CHECK(got.unsupported);
    CHECK_FALSE(got.body);
  }
  CHECK(read(Scheme::none, "<a/>", "application/xml").unsupported);
  CHECK(read(Scheme::none, "{}", "multipart/form-data; boundary=x").unsupported);
}

TEST_CASE("an alert of TradingView names a symbol, and its prices keep their digits") {
  const auto alert = [](const char* body, const char* type) {
    return text_of(Scheme::tradingview, body, type);
  };
  CHECK(alert("BINANCE:BTCUSDT Crossing 50,000", "text/plain") ==
        R"({"text":"BINANCE:BTCUSDT Crossing 50,000","symbol":"BINANCE:BTCUSDT"})");
  CHECK(alert("Crossing 50000", "text/plain") == R"({"text":"Crossing 50000"})");
  CHECK(alert("NQ1!: up", "text/plain") == R"({"text":"NQ1!: up","symbol":"NQ1!"})");
  CHECK(alert(R"({"ticker":"BTC","close":0.10000000000000000001,"n":7})", "application/json") ==
        R"({"ticker":"BTC","close":"0.10000000000000000001","n":7})");
  CHECK(alert(R"({"price":"1.0"})", "application/json") == R"({"price":"1.0"})");
}

TEST_CASE("an empty body is a call of those who may just call, and a mistake of the others") {
  for (const auto scheme :
       {Scheme::hmac, Scheme::bearer, Scheme::basic, Scheme::none, Scheme::tradingview}) {
    for (const auto* type : {"", "application/json", "application/xml"}) {
      CHECK(text_of(scheme, "", type) == "null");
    }
  }
  for (const auto scheme :
       {Scheme::github, Scheme::gitlab, Scheme::gitea, Scheme::slack, Scheme::stripe,
        Scheme::standard_webhooks, Scheme::pagerduty, Scheme::alertmanager}) {
    CHECK_FALSE(read(scheme, "").body);
  }
}

TEST_CASE("Gitea's secret is taken out, and nobody else's field") {
  const std::string body = R"({"secret":"s","a":{"secret":"kept"}})";
  CHECK(text_of(Scheme::gitea, body, "") == R"({"a":{"secret":"kept"}})");
  CHECK(text_of(Scheme::gitea, R"([{"secret":1}])", "") == R"([{"secret":1}])");
  CHECK(text_of(Scheme::github, body, "") == body);
}

TEST_CASE("bodies made at random are read or refused, and what is read is JSON") {
  constexpr unsigned seed = 20261123;
  std::mt19937 random(seed);
  CAPTURE(seed);
  const std::string letters = "{}[]\":,\\u%&=+aé\xff\x00 1e.-payloadnull\n";
  const auto schemes = {Scheme::github, Scheme::gitea, Scheme::slack, Scheme::none};
  for (int round = 0; round < 20'000; ++round) {
    std::string content;
    const auto length = random() % 40;
    while (content.size() < length) content += letters[random() % letters.size()];
    const auto scheme = schemes.begin()[random() % schemes.size()];
    const auto* type = std::array{"application/json", form_type.c_str(), "text/plain"}[round % 3];
    (void)read(scheme, content, type);  // checks what it reads
  }
}

}  // namespace vigil::ingress
