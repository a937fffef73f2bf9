#pragma once
// One request as the handlers see it: the names out of its path, its parameters and its body, all
// checked; and how answers and refusals are made. Values; no sockets.
#include <boost/json/object.hpp>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::admin {

// Why a request is not answered with what it asked for, and what the person does next.
struct Refusal {
  int status = 500;
  std::string error;
  std::string hint;
};
using Answer = std::expected<ingress::Response, Refusal>;
template <class T>
using Checked = std::expected<T, Refusal>;

Refusal refusal(const Error& error, std::string hint = {});
std::unexpected<Refusal> refuse(int status, std::string error, std::string hint);
std::unexpected<Refusal> refuse(const Error& error, std::string hint = {});
ingress::Response to_response(const Refusal& refusal);
ingress::Response json_response(const json::value& value, int status = 200);

// Percent-encoding undone; nullopt for a broken escape, a NUL byte or text that is not UTF-8.
enum class Plus { literal, space };
std::optional<std::string> percent_decoded(std::string_view text, Plus plus);

using Parameters = std::vector<std::pair<std::string, std::string>>;
// "a=1&b=2"; nullopt for a broken escape.
std::optional<Parameters> parse_query(std::string_view query);

constexpr int limit_default = 50;
constexpr int limit_max = 1'000;
constexpr int rows_at_once = 16;  // of rows that may be large, before the loop goes on
constexpr std::size_t name_bytes_max = 400;

// The text as an id: digits, greater than 0.
std::optional<std::int64_t> parse_id(std::string_view text);

struct Call {
  ingress::Request request;
  std::vector<std::string> names;  // what stood for {name} and {id} in the route, decoded
  Parameters parameters;

  std::string_view text(std::string_view parameter) const;  // "" when absent
  bool has(std::string_view parameter) const;
  Checked<int> limit() const;
  // "before=12": the page that is older than 12; 0 when absent.
  Checked<std::int64_t> before() const;

  template <class IdType>
  Checked<IdType> id(std::size_t which = 0) const {
    const auto value = parse_id(names.at(which));
    if (!value) return bad_id(names.at(which));
    return IdType{*value};
  }

  // The body as a JSON object with no other members than these; an empty body is an empty object.
  Checked<json::object> body(std::initializer_list<std::string_view> members) const;

 private:
  static std::unexpected<Refusal> bad_id(std::string_view text);
};

// A text member of a body: absent is "", another type or more than `bytes_max` is refused.
Checked<std::string> text_member(const json::object& body, std::string_view member,
                                 std::size_t bytes_max);

}  // namespace vigil::admin
