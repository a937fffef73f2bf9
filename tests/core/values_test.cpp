// Time, JSON, digests and events: the values everybody speaks.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "core/digest.hpp"
#include "core/event.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/time.hpp"

using namespace vigil;
using namespace std::chrono_literals;

TEST_CASE("durations read what people write, and refuse what is ambiguous") {
  CHECK(parse_duration("250ms").value() == 250ms);
  CHECK(parse_duration("5s").value() == 5s);
  CHECK(parse_duration("1h30m").value() == 90min);
  CHECK(parse_duration("2d").value() == 48h);
  CHECK(parse_duration("1w").value() == 168h);
  for (const char* bad :
       {"", "5", "s", "-5s", "5x", "1m1h", "5s ", "99999999999999999w", "1.5h5"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("a duration is written so that it can be read again") {
  for (const Duration duration : {Duration{0}, Duration{1500us}, Duration{250ms}, Duration{5s},
                                  Duration{90min}, Duration{25h}, Duration{168h}}) {
    CAPTURE(to_text(duration));
    CHECK_FALSE(to_text(duration).empty());
  }
  CHECK(to_text(Duration{5min}) == "5m");
  CHECK(to_text(Duration{150min}) == "2h30m");
}

TEST_CASE("RFC 3339 round trips, with offsets applied") {
  const auto at = parse_rfc3339("2026-11-23T10:15:00.250Z").value();
  CHECK(to_rfc3339(at) == "2026-11-23T10:15:00.250Z");
  CHECK(parse_rfc3339("2026-11-23T12:15:00.25+02:00").value() == at);
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
  for (const char* bad : {"2026-02-29T00:00:00Z", "2026-11-23", "2026-11-23T25:00:00Z",
                          "2026-11-23T10:15:00", "yesterday", "2026-13-01T00:00:00Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad).has_value());
  }
}

TEST_CASE("JSON is strict: one value, valid UTF-8, bounded depth") {
  CHECK(parse_json(R"({"a":[1,2.5,"x",null,true]})").has_value());
  for (const char* bad : {"", "{", "[1,]", "{'a':1}", "1 2", "nan", "\"\xff\"", "{\"a\":01}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_json(bad).has_value());
  }
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  const std::string allowed = std::string(64, '[') + std::string(64, ']');
  CHECK_FALSE(parse_json(deep).has_value());
  CHECK(parse_json(allowed).has_value());
}

TEST_CASE("a payload reads as any JSON does, and outlives its text") {
  json::value kept;
  {
    const std::string text = R"({"a":[1,{"b":"deep"}],"n":2})";
    auto parsed = parse_payload(text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == parse_json(text).value());
    kept = json::value(*find_path(*parsed, "a.1"));
  }
  CHECK(find_text(kept, "b") == "deep");
  CHECK_FALSE(parse_payload("{").has_value());
  CHECK_FALSE(parse_payload(std::string(65, '[') + std::string(65, ']')).has_value());
}

TEST_CASE("a dotted path reaches through objects and lists, and misses without harm") {
  const auto root = parse_json(R"({"a":{"b":[{"c":"deep"},2]},"n":7,"t":true})").value();
  CHECK(find_text(root, "a.b.0.c") == "deep");
  CHECK(find_integer(root, "a.b.1") == 2);
  CHECK(find_integer(root, "n") == 7);
  CHECK(find_bool(root, "t") == true);
  CHECK(find_scalar_text(root, "n") == "7");
  CHECK(find_path(root, "") == &root);
  for (const char* missing : {"a.x", "a.b.9.c", "a.b.x", "n.y", "a..b", "."}) {
    CAPTURE(missing);
    CHECK(find_path(root, missing) == nullptr);
  }
  CHECK_FALSE(find_text(root, "n").has_value());
}

TEST_CASE("malformed UTF-8 is told and mended") {
  CHECK(is_valid_utf8("gr\xc3\xbc\xc3\x9f"));
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    CHECK_FALSE(is_valid_utf8(bad));
    CHECK(is_valid_utf8(to_valid_utf8(bad)));
  }
}

TEST_CASE("digests match their published vectors") {
  CHECK(to_hex(as_bytes(sha256("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2
  CHECK(to_hex(as_bytes(hmac_sha256("Jefe", "what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 2202, test case 2
  CHECK(to_hex(hmac_sha1("Jefe", "what do ya want for nothing?")) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST_CASE("hex and base64 round trip and refuse what is malformed") {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo\0o", 4)}) {
    CHECK(from_hex(to_hex(bytes)) == bytes);
    CHECK(from_base64(to_base64(bytes)) == bytes);
  }
  CHECK(to_base64("fooba") == "Zm9vYmE=");
  for (const char* bad : {"Zg", "Zg=", "Z===", "Zm9v!", "Zm9vYh=="}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad).has_value());
  }
  CHECK_FALSE(from_hex("abc").has_value());
  CHECK_FALSE(from_hex("zz").has_value());
  CHECK(equal_constant_time("same", "same"));
  CHECK_FALSE(equal_constant_time("same", "some"));
  CHECK_FALSE(equal_constant_time("same", "sam"));
  CHECK(random_hex(16).size() == 32);
  CHECK(random_hex(16) != random_hex(16));
}

TEST_CASE("an event speaks CloudEvents") {
  Event event;
  event.id = EventId{7};
  event.uid = "d-1";
  event.source = "github";
  event.type = "github.push";
  event.subject = "octo/repo";
  event.time = parse_rfc3339("2026-11-23T10:15:00Z").value();
  event.data = json::object{{"ref", "main"}};
  const json::value told = to_json(event);
  CHECK(find_text(told, "id") == "d-1");
  CHECK(find_text(told, "source") == "github");
  CHECK(find_text(told, "type") == "github.push");
  CHECK(find_text(told, "data.ref") == "main");
}

TEST_CASE("a foreign string cannot forge a log line") {
  const auto shown = quoted("a\nb\x1b[31m\"" + std::string(500, 'x'));
  CHECK(shown.find('\n') == std::string::npos);
  CHECK(shown.find('\x1b') == std::string::npos);
  CHECK(shown.size() < 300);
}
