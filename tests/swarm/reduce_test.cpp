#include "swarm/reduce.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::swarm;

namespace {

json::value value(std::string_view text) { return parse_json(text).value(); }

// Parts "a", "b", ... with these results; "-" is one that is not there.
std::vector<Part> parts(std::initializer_list<std::string_view> results) {
  std::vector<Part> made;
  char name = 'a';
  for (const auto text : results) {
    const bool is_there = text != "-";
    made.push_back({std::string(1, name++), is_there ? value(text) : json::value(), is_there});
  }
  return made;
}

json::value made(std::string_view name, const std::vector<Part>& of,
                 std::string_view input = "null") {
  const auto result = reduce(name, value(input), of);
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return *result;
}

std::string refusal(std::string_view name, const std::vector<Part>& of,
                    std::string_view input = "null") {
  const auto result = reduce(name, value(input), of);
  REQUIRE_FALSE(result);
  return result.error().message;
}

bool has(const std::string& text, std::string_view part) { return text.contains(part); }

}  // namespace

TEST_CASE("every reducer that is named is one") {
  CHECK(reducer_names() ==
        std::vector<std::string>{"collect", "first", "concat", "merge", "vote", "top"});
  for (const auto& name : reducer_names()) CHECK(is_reducer(name));
  CHECK_FALSE(is_reducer("summarise"));
  CHECK_FALSE(is_reducer(""));
  CHECK(has(refusal("sum", {}), "no reducer \"sum\""));
}

TEST_CASE("collect is an object of all that is there, nulls included") {
  CHECK(made("collect", parts({"1", "null", "-", R"({"x":[]})"})) ==
        value(R"({"a":1,"b":null,"d":{"x":[]}})"));
  CHECK(made("collect", {}) == json::object());
}

TEST_CASE("first is the first that is not null, in the order of the needs") {
  CHECK(made("first", parts({"-", "null", "false", "2"})) == json::value(false));
  CHECK(has(refusal("first", parts({"null", "-"})), "no first result"));
  CHECK(has(refusal("first", {}), "no first result"));
}

TEST_CASE("concat joins lists to one list, and texts to one text") {
  CHECK(made("concat", parts({"[1,[2]]", "-", "[]", R"(["x"])"})) == value(R"([1,[2],"x"])"));
  CHECK(made("concat", parts({R"("ab\n")", R"("")", R"("c")"})) == "ab\nc");
  CHECK(made("concat", {}) == json::array());
  CHECK(made("concat", parts({"-"})) == json::array());
}

TEST_CASE("concat says which part does not fit") {
  CHECK(has(refusal("concat", parts({"[1]", R"("x")"})), "'b' cannot be reduced: it is a text"));
  CHECK(has(refusal("concat", parts({R"("x")", "[1]"})), "'b' cannot be reduced: it is a list"));
  CHECK(has(refusal("concat", parts({"{}"})), "'a' cannot be reduced: it is an object"));
  CHECK(has(refusal("concat", parts({"[]", "null"})), "'b' cannot be reduced: it is null"));
}

TEST_CASE("merge goes deep, the later wins, and a null is a value") {
  CHECK(made("merge", parts({R"({"a":{"x":1,"y":{"z":1}},"b":[1],"c":1})", "-",
                             R"({"a":{"y":{"w":2}},"b":[2],"c":null})"})) ==
        value(R"({"a":{"x":1,"y":{"z":1,"w":2}},"b":[2],"c":null})"));
  CHECK(made("merge", parts({R"({"a":{"x":1}})", R"({"a":2})"})) == value(R"({"a":2})"));
  CHECK(made("merge", parts({R"({"a":2})", R"({"a":{"x":1}})"})) == value(R"({"a":{"x":1}})"));
  CHECK(made("merge", {}) == json::object());
  CHECK(has(refusal("merge", parts({"{}", "[]"})), "'b' cannot be reduced: it is a list"));
}

TEST_CASE("merge keeps members in the order in which they first came") {
  const auto merged = made("merge", parts({R"({"z":1,"a":1})", R"({"m":1,"z":2})"}));
  CHECK(to_text(merged) == R"({"z":2,"a":1,"m":1})");
}

TEST_CASE("vote counts results that mean the same, and names who said otherwise") {
  const auto voted = made("vote", parts({R"({"x":1,"y":2})", "7", R"({"y":2.0,"x":1})", "-", "7.5",
                                         R"({"x":1,"y":2})", "7"}));
  CHECK(voted == value(R"({"winner":{"x":1,"y":2},"votes":3,"of":6,"dissent":[
      {"result":7,"votes":2,"from":["b","g"]},{"result":7.5,"votes":1,"from":["e"]}]})"));
}

TEST_CASE("a tie goes to the one first named") {
  CHECK(made("vote", parts({"\"b\"", "\"a\"", "\"a\"", "\"b\""})).at("winner") == "b");
  CHECK(made("vote", parts({"1", "2", "3"})).at("winner") == 1);
  const auto voted = made("vote", parts({"1", "2", "3"}));
  CHECK(voted.at("dissent").at(0).at("result") == 2);
  CHECK(voted.at("dissent").at(1).at("result") == 3);
  CHECK(made("vote", parts({"5"})) == value(R"({"winner":5,"votes":1,"of":1,"dissent":[]})"));
}

TEST_CASE("numbers vote as numbers, and are told apart however large") {
  CHECK(made("vote", parts({"1", "1.0", "1e0"})).at("votes") == 3);
  CHECK(made("vote", parts({"0", "-0.0"})).at("votes") == 2);
  CHECK(made("vote", parts({"9007199254740993", "9007199254740992"})).at("votes") == 1);
  CHECK(made("vote", parts({"18446744073709551615", "18446744073709551614"})).at("votes") == 1);
  CHECK(made("vote", parts({"10000000000000000000", "1e19"})).at("votes") == 2);
  CHECK(made("vote", parts({"0.1", "0.10000000000000002"})).at("votes") == 1);
  // What looks alike is not the same.
  CHECK(made("vote", parts({"1", "\"1\"", "[1]", "true", "null"})).at("votes") == 1);
  CHECK(
      made("vote", parts({R"({"a":"b,c"})", R"({"a":"b","c":""})", R"(["a","b"])"})).at("votes") ==
      1);
}

TEST_CASE("vote compares the member that is named, and the whole result wins") {
  const auto voted = made("vote",
                          parts({R"({"v":{"is":"no"},"by":"x"})", R"({"v":{"is":"yes"},"by":"y"})",
                                 R"({"v":{"is":"yes"},"by":"z"})"}),
                          R"({"by":"v.is"})");
  CHECK(voted.at("winner") == value(R"({"v":{"is":"yes"},"by":"y"})"));
  CHECK(voted.at("votes") == 2);
  CHECK(has(refusal("vote", parts({R"({"v":1})", R"({"w":1})"}), R"({"by":"v"})"),
            "'b' cannot be reduced: it has no member \"v\""));
  CHECK(has(refusal("vote", {}), "no vote"));
  CHECK(has(refusal("vote", parts({"-"})), "no vote"));
}

TEST_CASE("top takes the largest of all lists, numbers as numbers, equals in their order") {
  CHECK(made("top", parts({"[3,10,2.5]", "-", "[9,-1,10.5]"}), R"({"k":3})") ==
        value("[10.5,10,9]"));
  const auto best = made("top",
                         parts({R"([{"n":"a","s":{"x":1}},{"n":"b","s":{"x":2}}])",
                                R"([{"n":"c","s":{"x":2.0}},{"n":"d","s":{"x":1}}])"}),
                         R"({"k":3,"by":"s.x"})");
  CHECK(best.at(0).at("n") == "b");
  CHECK(best.at(1).at("n") == "c");
  CHECK(best.at(2).at("n") == "a");
  CHECK(made("top", parts({"[18446744073709551614,18446744073709551615]"}), R"({"k":1})").at(0) ==
        18446744073709551615ULL);
  CHECK(made("top", parts({"[1]", "[]"}), R"({"k":9})") == value("[1]"));
  CHECK(made("top", {}, R"({"k":1})") == json::array());
}

TEST_CASE("top says which item of which part has no number") {
  CHECK(has(refusal("top", parts({"[1]", "{}"}), R"({"k":1})"), "'b' cannot be reduced"));
  CHECK(has(refusal("top", parts({"[1,\"2\"]"}), R"({"k":1})"), "'a'"));
  CHECK(has(refusal("top", parts({R"([{"s":1},{"t":1}])"}), R"({"k":1,"by":"s"})"),
            "its item 1 has no number at \"s\""));
}

TEST_CASE("a list is one part, unless its items are to be parts of their own") {
  const auto list = parts({R"([{"x":1},{"y":2}])", R"({"z":3})"});
  CHECK(has(refusal("merge", list), "'a' cannot be reduced: it is a list"));
  CHECK(made("merge", list, R"({"each":true})") == value(R"({"x":1,"y":2,"z":3})"));
  CHECK(made("concat", parts({"[[1],[2]]"})) == value("[[1],[2]]"));
  CHECK(made("concat", parts({"[[1],[2]]"}), R"({"each":true})") == value("[1,2]"));
  const auto voted = made("vote", parts({R"(["x","y","x"])"}), R"({"each":true})");
  CHECK(voted == value(R"({"winner":"x","votes":2,"of":3,
                           "dissent":[{"result":"y","votes":1,"from":["a/1"]}]})"));
}

TEST_CASE("input that a reducer does not take is refused before anything is reduced") {
  CHECK(check_reducer_input("collect", nullptr));
  CHECK(check_reducer_input("top", value(R"({"k":3,"by":"s"})")));
  const auto why = [](std::string_view name, std::string_view input) {
    const auto checked = check_reducer_input(name, value(input));
    REQUIRE_FALSE(checked);
    return checked.error().message;
  };
  CHECK(has(why("top", "null"), "input: expected an object like"));
  CHECK(has(why("top", "{}"), "input.k: expected how many"));
  CHECK(has(why("top", R"({"k":0})"), "input.k: expected how many"));
  CHECK(has(why("top", R"({"k":"3"})"), "input.k: expected a whole number"));
  CHECK(has(why("vote", R"({"By":"x"})"), "did you mean \"by\"?"));
  CHECK(has(why("merge", R"({"by":"x"})"), "unknown key"));
  CHECK(has(why("collect", "7"), "expected an object"));
  CHECK(has(refusal("top", parts({"[1]"}), R"({"k":1,"by":7})"), "input.by: expected a text"));
}
