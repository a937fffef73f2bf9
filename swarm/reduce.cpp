#include "swarm/reduce.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <limits>
#include <map>
#include <unordered_map>

#include "core/log.hpp"
#include "swarm/json_members.hpp"

namespace vigil::swarm {
namespace {

struct Options {
  std::string by;
  int k = 0;
  bool each = false;
};

using Parts = std::vector<const Part*>;

std::string_view shape_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "null";
}

std::unexpected<Error> wrong(const Part& part, std::string_view what) {
  return fail(ErrorCode::invalid_input,
              fmt::format("the result of '{}' cannot be reduced: {}", part.name, what));
}

std::unexpected<Error> wrong_shape(const Part& part, std::string_view expected) {
  return wrong(part, fmt::format("it is {}, expected {}", shape_of(part.result), expected));
}

// Wide enough for every number JSON can hold here, whole or not, without rounding.
long double number_of(const json::value& value) {
  static_assert(std::numeric_limits<long double>::digits >= 64);
  if (const auto* whole = value.if_int64()) return static_cast<long double>(*whole);
  if (const auto* large = value.if_uint64()) return static_cast<long double>(*large);
  return static_cast<long double>(value.as_double());
}

// Equal for values that mean the same: members in any order, 1 and 1.0.
void write_canonical(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    std::map<std::string_view, const json::value*> members;
    for (const auto& [key, member] : *object) members.emplace(key, &member);
    out += '{';
    for (const auto& [key, member] : members) {
      out += vigil::to_text(json::value(json::string(key))) + ':';
      write_canonical(*member, out);
      out += ',';
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      write_canonical(item, out);
      out += ',';
    }
    out += ']';
  } else if (value.is_number()) {
    const long double number = number_of(value);
    out += fmt::format("{:.25g}", number == 0 ? 0 : number);  // there is a -0.0
  } else {
    out += vigil::to_text(value);
  }
}

Result<json::value> collect(const Parts& parts, const Options&) {
  json::object all;
  for (const Part* part : parts) all[part->name] = part->result;
  return json::value(std::move(all));
}

Result<json::value> first(const Parts& parts, const Options&) {
  for (const Part* part : parts) {
    if (!part->result.is_null()) return part->result;
  }
  return fail(ErrorCode::not_found,
              "there is no first result: every task it needs gave null or nothing");
}

Result<json::value> concat(const Parts& parts, const Options&) {
  if (parts.empty()) return json::value(json::array());
  constexpr std::string_view expected = "a list, or a text among texts";
  if (parts.front()->result.is_string()) {
    std::string text;
    for (const Part* part : parts) {
      if (!part->result.is_string()) return wrong_shape(*part, "a text, as the one before it");
      text += std::string_view(part->result.get_string());
    }
    return json::value(text);
  }
  json::array list;
  for (const Part* part : parts) {
    const auto* items = part->result.if_array();
    if (items == nullptr) return wrong_shape(*part, expected);
    list.insert(list.end(), items->begin(), items->end());
  }
  return json::value(std::move(list));
}

void merge_into(json::object& to, const json::object& from) {
  for (const auto& [key, value] : from) {
    json::value& member = to[key];
    if (member.is_object() && value.is_object()) {
      merge_into(member.get_object(), value.get_object());
    } else {
      member = value;
    }
  }
}

Result<json::value> merge(const Parts& parts, const Options&) {
  json::object merged;
  for (const Part* part : parts) {
    const auto* object = part->result.if_object();
    if (object == nullptr) return wrong_shape(*part, "an object");
    merge_into(merged, *object);
  }
  return json::value(std::move(merged));
}

struct Candidate {
  const json::value* result = nullptr;  // of the first who voted so
  json::array from;
};

json::array dissent_of(const std::vector<Candidate>& candidates, const Candidate* winner) {
  std::vector<const Candidate*> others;
  for (const Candidate& one : candidates) {
    if (&one != winner) others.push_back(&one);
  }
  // Among equals the one first named goes first.
  std::ranges::sort(others, [](const Candidate* one, const Candidate* other) {
    return std::pair(other->from.size(), one) < std::pair(one->from.size(), other);
  });
  json::array dissent;
  for (const Candidate* one : others) {
    dissent.push_back(
        json::object{{"result", *one->result}, {"votes", one->from.size()}, {"from", one->from}});
  }
  return dissent;
}

Result<json::value> vote(const Parts& parts, const Options& options) {
  std::vector<Candidate> candidates;
  std::unordered_map<std::string, std::size_t> places;
  for (const Part* part : parts) {
    const auto* ballot = find_path(part->result, options.by);
    if (ballot == nullptr) {
      return wrong(*part, fmt::format("it has no member {} to be compared", quoted(options.by)));
    }
    std::string key;
    write_canonical(*ballot, key);
    const auto place = places.emplace(std::move(key), candidates.size()).first->second;
    if (place == candidates.size()) candidates.push_back({&part->result, {}});
    candidates[place].from.emplace_back(part->name);
  }
  if (candidates.empty()) return fail(ErrorCode::not_found, "there is no vote: no result is there");
  // The first of the largest is the one that was named first.
  const auto winner = std::ranges::max_element(
      candidates, {}, [](const Candidate& one) { return one.from.size(); });
  return json::value(json::object{{"winner", *winner->result},
                                  {"votes", winner->from.size()},
                                  {"of", parts.size()},
                                  {"dissent", dissent_of(candidates, &*winner)}});
}

Result<json::value> top(const Parts& parts, const Options& options) {
  struct Item {
    long double weight;
    std::size_t place;  // equals stay in order
    const json::value* value;
  };
  std::vector<Item> items;
  for (const Part* part : parts) {
    const auto* list = part->result.if_array();
    if (list == nullptr) return wrong_shape(*part, "a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto* weight = find_path((*list)[i], options.by);
      if (weight == nullptr || !weight->is_number()) {
        const std::string where = options.by.empty() ? "" : " at " + quoted(options.by);
        return wrong(*part, fmt::format("its item {} has no number{}", i, where));
      }
      items.push_back({number_of(*weight), items.size(), &(*list)[i]});
    }
  }
  std::ranges::sort(items, [](const Item& one, const Item& other) {
    return std::pair(other.weight, one.place) < std::pair(one.weight, other.place);
  });
  items.resize(std::min(items.size(), static_cast<std::size_t>(options.k)));
  json::array largest;
  largest.reserve(items.size());
  for (const Item& item : items) largest.push_back(*item.value);
  return json::value(std::move(largest));
}

struct Reducer {
  std::string_view name;
  Result<json::value> (*reduce)(const Parts&, const Options&);
  bool takes_by;
  bool takes_k;
};
constexpr std::array reducers{
    Reducer{"collect", collect, false, false}, Reducer{"first", first, false, false},
    Reducer{"concat", concat, false, false},   Reducer{"merge", merge, false, false},
    Reducer{"vote", vote, true, false},        Reducer{"top", top, true, true},
};

const Reducer* find_reducer(std::string_view name) {
  const auto found = std::ranges::find(reducers, name, &Reducer::name);
  return found == reducers.end() ? nullptr : &*found;
}

Result<Options> options_of(const Reducer& reducer, const json::value& input) {
  Options options;
  if (input.is_null() && !reducer.takes_k) return options;
  if (!input.is_object()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("reduce = \"{}\": input: expected an object{}", reducer.name,
                            reducer.takes_k ? R"( like {"k": 10, "by": "score"})" : ""));
  }
  JsonMembers members(input.get_object(), fmt::format("reduce = \"{}\": input", reducer.name));
  members.flag("each", options.each);
  if (reducer.takes_by) members.text("by", options.by);
  if (reducer.takes_k) members.number("k", options.k);
  if (reducer.takes_k && options.k < 1) {
    members.wrong("k", "expected how many items to keep, a whole number above 0");
  }
  if (auto finished = members.finish(); !finished) return std::unexpected(finished.error());
  return options;
}

// The items of lists as parts of their own.
std::vector<Part> parts_of_each(const Parts& parts) {
  std::vector<Part> all;
  for (const Part* part : parts) {
    const auto* list = part->result.if_array();
    if (list == nullptr) {
      all.push_back(*part);
      continue;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      all.push_back({fmt::format("{}/{}", part->name, i), (*list)[i], true});
    }
  }
  return all;
}

Parts those_there(const std::vector<Part>& parts) {
  Parts there;
  for (const Part& part : parts) {
    if (part.is_there) there.push_back(&part);
  }
  return there;
}

}  // namespace

std::vector<std::string> reducer_names() {
  std::vector<std::string> names;
  for (const Reducer& reducer : reducers) names.emplace_back(reducer.name);
  return names;
}

bool is_reducer(std::string_view name) { return find_reducer(name) != nullptr; }

Result<void> check_reducer_input(std::string_view name, const json::value& input) {
  const Reducer* reducer = find_reducer(name);
  if (reducer == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("there is no reducer {}", quoted(name)));
  }
  const auto options = options_of(*reducer, input);
  if (!options) return std::unexpected(options.error());
  return {};
}

Result<json::value> reduce(std::string_view name, const json::value& input,
                           const std::vector<Part>& parts) {
  if (auto checked = check_reducer_input(name, input); !checked) {
    return std::unexpected(checked.error());
  }
  const Reducer* reducer = find_reducer(name);
  const auto options = options_of(*reducer, input);
  const Parts there = those_there(parts);
  if (!options->each) return reducer->reduce(there, *options);
  const std::vector<Part> all = parts_of_each(there);
  return reducer->reduce(those_there(all), *options);
}

}  // namespace vigil::swarm
