// What fits a JSON Schema, and which schemas are understood.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "daemon/models/schema.hpp"

using namespace vigil;
using namespace vigil::models;

namespace {

json::object schema_of(const char* text) { return parse_json(text).value().as_object(); }

std::string misfit(const char* schema, const char* value) {
  const auto rules = schema_of(schema);
  REQUIRE(check_schema(rules).has_value());
  const auto found = misfits(parse_json(value).value(), rules);
  return found.empty() ? "" : found.front();
}

struct Case {
  const char* schema;
  const char* fits;
  const char* other;
  const char* why;
};

const Case cases[] = {
    {R"({"type":"integer"})", "7", "7.5", "the answer: expected \"integer\", not a number"},
    {R"({"type":"integer"})", "7.0", "1e300", "not a number"},
    {R"({"type":["string","null"]})", "null", "1", "expected [\"string\",\"null\"]"},
    {R"({"enum":["a",1]})", "1", "\"b\"", "expected one of [\"a\",1]"},
    {R"({"const":{"a":1}})", R"({"a":1})", R"({"a":2})", "expected {\"a\":1}"},
    {R"({"required":["a"]})", R"({"a":0,"b":0})", "{}", "\"a\" is missing"},
    {R"({"properties":{"a":{"type":"string"}}})", R"({"b":1})", R"({"a":1})", "/a: expected"},
    {R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1})", R"({"b":1})",
     "/b: is not allowed here"},
    {R"({"additionalProperties":{"type":"number"}})", R"({"b":1})", R"({"b":"x"})", "/b: expected"},
    {R"({"items":{"type":"integer"},"minItems":1,"maxItems":2})", "[1,2]", "[]",
     "at least 1 items"},
    {R"({"items":{"type":"integer"}})", "[]", "[1,\"x\"]", "/1: expected"},
    {R"({"prefixItems":[{"type":"integer"}],"items":{"type":"string"}})", R"([1,"a"])", "[1,2]",
     "/1: expected"},
    {R"({"uniqueItems":true})", "[1,2]", "[2,1,2]", "item 0 stands there twice"},
    {R"({"minLength":2,"maxLength":3})", "\"äöü\"", "\"abcd\"", "at most 3 characters"},
    {R"({"minimum":1,"exclusiveMaximum":5})", "1", "5", "must be less than 5"},
    {R"({"exclusiveMinimum":1})", "1.01", "1", "must be more than 1"},
    {R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "6", "4", "fits none"},
    {R"({"oneOf":[{"minimum":5},{"maximum":7}]})", "9", "6", "exactly one"},
    {R"({"allOf":[{"minimum":5},{"maximum":7}]})", "6", "9", "at most 7"},
    {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}}}}})",
     R"({"n":{"n":{}}})", R"({"n":{"n":3}})", "/n/n: expected"},
};

}  // namespace

TEST_CASE("each rule takes what fits and says what does not") {
  for (const auto& one : cases) {
    CAPTURE(one.schema);
    CHECK(misfit(one.schema, one.fits) == "");
    CHECK_MESSAGE(misfit(one.schema, one.other).find(one.why) != std::string::npos,
                  misfit(one.schema, one.other));
  }
}

TEST_CASE("what is not understood is refused before anybody is asked") {
  for (const auto* text :
       {R"({"pattern":"^(a+)+$"})", R"({"properties":{"a":{"if":{}}}})", R"({"type":"text"})",
        R"({"$ref":"https://example.org/s.json"})", R"({"$ref":"#/$defs/none"})", R"({"anyOf":[]})",
        R"({"items":[{"type":"string"}]})", R"({"minimum":"5"})"}) {
    CAPTURE(text);
    CHECK_FALSE(check_schema(schema_of(text)).has_value());
  }
  CHECK(check_schema({}).has_value());
}

TEST_CASE("a schema that refers to itself without end ends") {
  const auto loop = schema_of(R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}})");
  REQUIRE(check_schema(loop).has_value());
  CHECK(misfits(1, loop).front().find("nested too deeply") != std::string::npos);
}

TEST_CASE("at most ten things are told of an answer that is all wrong") {
  json::array many(100, json::value("x"));
  CHECK(misfits(many, schema_of(R"({"items":{"type":"integer"}})")).size() == 10);
}
