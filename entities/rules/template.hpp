#pragma once
// Texts with holes: "PR {{event.data.number}} of {{event.data.sender.login | default 'nobody'}}". A
// hole names a value by path; nothing is executed. Roots: `event`, `case`, `report` (what a swarm
// ended with: ok, error, result, tasks.NAME, tasks_failed). Filters: `json`, `default 'text'`,
// `truncate N`. What is not there is empty text. Pure; any thread.
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/rules/scope.hpp"

namespace vigil::entities {

struct Scope {
  const EventView* event = nullptr;
  std::string case_key;
  const json::value* report = nullptr;  // nullptr: not known yet; its holes stay as they are
};

class Template {
 public:
  // Fails with the hole that cannot be read and why.
  static Result<Template> compile(const std::string& text);
  std::string text(const Scope& scope) const;
  // A template that is one hole and nothing else keeps the value's type.
  json::value value(const Scope& scope) const;
  bool has_holes() const;

 private:
  struct Part {
    std::string literal;  // or:
    std::string root;
    std::string path;
    std::string source;  // as it was written, with the braces
    bool as_json = false;
    std::string otherwise;
    std::size_t length_max = 0;
  };
  static Result<Part> compile_hole(std::string_view hole);
  static std::string render(const Part& part, const Scope& scope);

  std::vector<Part> parts_;
};

// All texts in a JSON value, as templates.
class JsonTemplate {
 public:
  static Result<JsonTemplate> compile(const json::value& value);
  json::value value(const Scope& scope) const;

 private:
  json::value shape_;  // each text replaced by its number in `texts_`
  std::vector<Template> texts_;
};

}  // namespace vigil::entities
