// What an event can make an expression do: the answer comes soon, whatever a stranger sent.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "entities/rules/lua.hpp"

using namespace vigil;
using vigil::entities::EventView;
using vigil::entities::Expression;

namespace {

Result<bool> ask(const std::string& source, const Event& event) {
  const auto expression = Expression::compile(source);
  if (!expression) return std::unexpected(expression.error());
  return expression->holds(EventView(event));
}

std::string error_of(const std::string& source, const Event& event = {}) {
  const auto answer = ask(source, event);
  return answer ? (*answer ? "true" : "false") : answer.error().message;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// Long enough for a sanitizer on a busy machine, far too short for work that is quadratic.
constexpr std::chrono::seconds soon{10};

class Stopwatch {
 public:
  bool is_soon() const { return std::chrono::steady_clock::now() - begun_ < soon; }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace

TEST_CASE("a text and a part that almost fits everywhere are compared in linear time") {
  Event event;
  const std::string part = std::string(1'000'000, 'a') + "b";
  event.data = json::object{{"body", std::string(3'000'000, 'a')},
                            {"word", part},
                            {"front", "b" + std::string(1'000'000, 'a')}};
  const Stopwatch watch;
  CHECK_FALSE(ask("contains(event.data.body, event.data.word)", event).value());
  CHECK_FALSE(ask("contains(event.data.body, event.data.front)", event).value());
  CHECK(watch.is_soon());
}

TEST_CASE("a part is found wherever it stands, and in itself; what is empty is everywhere") {
  Event event;
  event.subject = std::string("ab\0cab", 6);
  CHECK(ask("contains(event.subject, 'cab') and contains(event.subject, 'ab\\0c')", event).value());
  CHECK(
      ask("contains(event.subject, event.subject) and contains(event.subject, '')", event).value());
  CHECK(ask("contains('', '') and not contains('', 'x') and not contains('ab', 'abc')", event)
            .value());
  CHECK(ask("contains(12, 1) and not contains(nil, '') and not contains({}, '')", event).value());
}

TEST_CASE("a pattern that a stranger sent is bounded, and not kept when it is long") {
  Event event;
  event.data =
      json::object{{"long", std::string(4'000'000, '(')}, {"fits", std::string(4096, 'x')}};
  const Stopwatch watch;
  CHECK(says(error_of("matches('x', event.data.long)", event), "more than 4096 bytes"));
  CHECK_FALSE(ask("matches('x', event.data.fits)", event).value());
  CHECK(says(error_of("local p = event.data.fits for i = 1, 17000 do matches('x', p) end "
                      "return true",
                      event),
             "too much"));
  CHECK(watch.is_soon());
}

TEST_CASE("functions whose steps are not counted are charged for what they are given") {
  Event event;
  event.data = json::object{{"text", std::string(2'000'000, '1')}};
  const Stopwatch watch;
  for (const char* work :
       {"tonumber(text, 2)", "text:byte(1, 400)", "text:sub(1, 3)", "table.insert(list, 1, i)",
        "table.remove(list, 1)", "table.unpack(list, 1, 4000)"}) {
    CAPTURE(work);
    const auto source = std::string("local text, list = event.data.text, {} ") +
                        "for i = 1, 6000 do list[i] = i end for i = 1, 11000 do local x = " + work +
                        " end return true";
    // insert and the like give nothing: as a statement.
    auto statement = source;
    if (says(work, "table.insert")) statement.replace(statement.find("local x = "), 10, "");
    CHECK(says(error_of(statement, event), "too much"));
  }
  CHECK(says(error_of("select('#', table.unpack({}, 1, 300000)) > 0"), "4096 values"));
  CHECK(says(error_of("select('#', event.data.text:byte(1, 300000)) > 0", event), "4096 values"));
  CHECK(watch.is_soon());
}

TEST_CASE("a function that is charged behaves and fails as Lua's own") {
  CHECK(ask("tonumber('ff', 16) == 255 and tonumber('x') == nil and tonumber('12') == 12", {})
            .value());
  CHECK(ask("('Ab'):lower() .. ('Ab'):upper() .. ('ab'):reverse() == 'abABba'", {}).value());
  CHECK(ask("('abc'):sub(-2) == 'bc' and ('a'):byte() == 97 and string.char(97, 98) == 'ab'", {})
            .value());
  CHECK(ask("local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) table.remove(t) "
            "local a, b, c = table.unpack(t) return a == 0 and b == 1 and c == 2 and #t == 3",
            {})
            .value());
  CHECK(ask("table.pack(1, nil, 3).n == 3 and math.floor(1.5) == 1 and math.huge > 1", {}).value());
  CHECK(says(error_of("string.upper(event.data.gone)"), "when:1: bad argument #1 to 'upper'"));
  CHECK(says(error_of("event.type:sub({})"), "when:1:"));
  CHECK(says(error_of("\n\ntonumber('1', 99)"), "when:3: bad argument #2 to 'tonumber'"));
}
