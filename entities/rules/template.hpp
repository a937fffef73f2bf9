#pragma once
// Texts with holes: "PR {{event.data.number}} of {{event.data.sender.login | default 'nobody'}}". A
// hole names a value by path; nothing is executed, and what fills a hole is never read as a
// template. Roots: `event`, `case.key`, `report` (what a swarm ended with: ok, error, title,
// result, wall, tasks.NAME, tasks_failed). Filters: `json`, `default 'text'`, `truncate BYTES`.
// What is not there is empty text. Pure; any thread.
#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/rules/scope.hpp"

namespace vigil::entities {

// What holes can be filled with. What is nullptr leaves its holes empty.
struct Scope {
  const EventView* event = nullptr;
  std::string case_key;
  const json::value* report = nullptr;
  const json::object* kept = nullptr;  // instead of the event, when it is over: values by path
};

class Template {
 public:
  // Fails with the hole that cannot be read and why.
  static Result<Template> compile(const std::string& text);
  std::string text(const Scope& scope) const;
  // A template that is one hole and nothing else keeps the value's type.
  json::value value(const Scope& scope) const;

  bool has_holes() const;
  bool begins_with_hole() const;
  // The first hole of that root, as it was written; empty when there is none.
  std::string hole_of(std::string_view root) const;
  // Puts what the event says at the holes' paths into `kept`, so that the event can be let go.
  void keep(const EventView& event, json::object& kept) const;

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
  static Result<Part> compile_hole(std::string_view source,
                                   std::span<const std::string_view> steps);
  static Result<void> compile_filter(std::string_view filter, Part& out);
  static std::string render(const Part& part, const Scope& scope);

  std::vector<Part> parts_;
};

// All texts in a JSON value, as templates.
class JsonTemplate {
 public:
  static Result<JsonTemplate> compile(const json::value& value);
  json::value value(const Scope& scope) const;
  const std::vector<Template>& texts() const { return texts_; }

 private:
  json::value shape_;  // each text replaced by its number in `texts_`
  std::vector<Template> texts_;
};

}  // namespace vigil::entities
