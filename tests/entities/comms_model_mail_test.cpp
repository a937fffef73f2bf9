// What a model makes of a mail: points that quote nothing of it are left out, and what was not
// wanted is not taken.
#include "entities/comms/model_mail.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::comms;

namespace {

json::value held(json::array wanted, json::object said) {
  Request request;
  request.input = json::object{{"text", "We meet on Friday.\n> The budget is 12,000."},
                               {"wanted", std::move(wanted)}};
  request.inputs["said"] = std::move(said);
  return run_model_mail(request).value();
}

json::object point(const char* text, const char* quotation) {
  return {{"text", text}, {"quotation", quotation}};
}

}  // namespace

TEST_CASE("of a model's summary the points that quote the mail are kept") {
  const json::object said{{"points", json::array{point("They meet.", "We meet on  Friday."),
                                                 point("It is cheap.", "It costs nothing."),
                                                 point("They say so.", "We")}},
                          {"draft", "Dear Bob"}};
  const auto found = held({"summary"}, said);
  REQUIRE(find_path(found, "points")->as_array().size() == 1);
  CHECK(find_text(found, "points.0.text") == "They meet.");
  CHECK(find_text(found, "draft") == "");  // nobody wanted one
  const auto draft = held({"draft"}, said);
  CHECK(find_path(draft, "points")->as_array().empty());
  CHECK(find_text(draft, "draft") == "Dear Bob");
  CHECK_FALSE(run_model_mail(Request{}).has_value());
}
