#pragma once
// Forms as browsers and mail providers post them: multipart/form-data (RFC 7578) and
// application/x-www-form-urlencoded. Strict and bounded; bytes stay bytes, whatever their charset.
// Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::ingress {

struct FormField {
  std::string name;
  std::string file_name;     // empty: it is no file
  std::string content_type;  // of a part; empty: none was said
  std::string bytes;
};
constexpr std::size_t form_fields_max = 500;

Result<std::vector<FormField>> parse_form(std::string_view content_type, std::string_view body);
// The first of that name; empty: there is none.
std::string_view field_of(const std::vector<FormField>& form, std::string_view name);
// One name or value of a urlencoded form.
std::string decode_url(std::string_view text);

}  // namespace vigil::ingress
