#include "daemon/ingress/form_data.hpp"

#include <algorithm>
#include <optional>

#include "core/digest.hpp"
#include "daemon/mail/imap_response.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t part_head_bytes_max = 4096;

std::unexpected<Error> no_form(std::string why) {
  return fail(ErrorCode::invalid_input, "the form cannot be read: " + std::move(why));
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// `boundary=abc` or `name="a \"b\""` among what stands behind semicolons.
std::string parameter(std::string_view value, std::string_view wanted) {
  auto at = value.find(';');
  while (at != std::string_view::npos) {
    value = trim(value.substr(at + 1));
    const auto equals = value.find('=');
    if (equals == std::string_view::npos) return {};
    const auto name = trim(value.substr(0, equals));
    value.remove_prefix(equals + 1);
    std::string out;
    if (value.starts_with('"')) {
      std::size_t i = 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        out += value[i];
      }
      value.remove_prefix(std::min(i + 1, value.size()));
    } else {
      out = trim(value.substr(0, value.find(';')));
    }
    if (mail::equal_words(name, wanted)) return out;
    at = value.find(';');
  }
  return {};
}

std::optional<FormField> head_of_part(std::string_view head) {
  FormField out;
  bool named = false;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (mail::equal_words(name, "Content-Disposition")) {
      out.name = parameter(value, "name");
      out.file_name = parameter(value, "filename");
      named = !out.name.empty();
    } else if (mail::equal_words(name, "Content-Type")) {
      out.content_type = value;
    }
  }
  return named ? std::optional(std::move(out)) : std::nullopt;
}

Result<std::vector<FormField>> multipart(std::string_view boundary, std::string_view body) {
  if (boundary.empty() || boundary.size() > 200) return no_form("it names no boundary");
  const auto opening = "--" + std::string(boundary);
  const auto between = "\r\n" + opening;
  auto at = opening.size();
  if (!body.starts_with(opening)) {  // something stands before the first part
    at = body.find(between);
    if (at == std::string_view::npos) return no_form("its boundary does not occur");
    at += between.size();
  }
  std::vector<FormField> out;
  while (true) {
    if (body.substr(at, 2) == "--") return out;
    if (body.substr(at, 2) != "\r\n") return no_form("a boundary is followed by something");
    at += 2;
    const auto head_end = body.substr(at, part_head_bytes_max).find("\r\n\r\n");
    if (head_end == std::string_view::npos) return no_form("a part has no end of its head");
    auto field = head_of_part(body.substr(at, head_end));
    at += head_end + 4;
    const auto end = body.find(between, at);
    if (end == std::string_view::npos) return no_form("its last part has no end");
    if (!field) return no_form("a part has no name");
    if (out.size() >= form_fields_max) return no_form("it has more than 500 fields");
    field->bytes = body.substr(at, end - at);
    out.push_back(std::move(*field));
    at = end + between.size();
  }
}

Result<std::vector<FormField>> urlencoded(std::string_view body) {
  std::vector<FormField> out;
  while (!body.empty()) {
    const auto pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const auto equals = pair.find('=');
    FormField field;
    field.name = decode_url(pair.substr(0, equals));
    if (equals != std::string_view::npos) field.bytes = decode_url(pair.substr(equals + 1));
    if (field.name.empty()) continue;
    if (out.size() >= form_fields_max) return no_form("it has more than 500 fields");
    out.push_back(std::move(field));
  }
  return out;
}

}  // namespace

std::string decode_url(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] == '%' && at + 2 < text.size()) {
      const auto byte = from_hex(text.substr(at + 1, 2));
      out += byte.value_or("%");
      if (byte) at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

Result<std::vector<FormField>> parse_form(std::string_view content_type, std::string_view body) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (mail::equal_words(type, "multipart/form-data")) {
    return multipart(parameter(content_type, "boundary"), body);
  }
  if (mail::equal_words(type, "application/x-www-form-urlencoded")) return urlencoded(body);
  return no_form("it is neither multipart/form-data nor application/x-www-form-urlencoded");
}

std::string_view field_of(const std::vector<FormField>& form, std::string_view name) {
  const auto found = std::ranges::find(form, name, &FormField::name);
  return found == form.end() ? std::string_view() : std::string_view(found->bytes);
}

}  // namespace vigil::ingress
