#include "entities/comms/look_at_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/comms/asks.hpp"
#include "entities/comms/body.hpp"
#include "entities/comms/features.hpp"
#include "entities/comms/hops.hpp"
#include "entities/comms/html_text.hpp"
#include "entities/comms/origin.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t text_bytes_max = 16 * 1024;
constexpr std::size_t quoted_bytes_max = 4 * 1024;
constexpr std::size_t signature_bytes_max = 1024;
constexpr std::size_t headers_told_max = 60;
constexpr std::size_t header_bytes_max = 500;

json::array array_of(const std::vector<MailAddress>& people) {
  json::array out;
  for (const auto& one : people) {
    out.push_back(json::object{{"name", one.name}, {"address", one.address}});
  }
  return out;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& one : texts) out.emplace_back(one);
  return out;
}

template <class List>
void put(json::object& out, std::string_view name, const List& list) {
  if (!list.empty()) out[name] = array_of(list);
}
void put_text(json::object& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out[name] = text;
}

void put_people(json::object& out, const Mail& mail) {
  put(out, "from", mail.from);
  put(out, "sender", mail.sender);
  put(out, "reply_to", mail.reply_to);
  put(out, "to", mail.to);
  put(out, "cc", mail.cc);
  put(out, "bcc", mail.bcc);
}

void put_origin(json::object& out, const Mail& mail) {
  const auto origin = origin_of(mail);
  out["kind"] = origin.kind;
  out["kind_why"] = origin.why;
  if (const auto list = list_of(mail); !list.id.empty() || !list.unsubscribe.empty()) {
    json::object told;
    put_text(told, "id", list.id);
    put_text(told, "unsubscribe", list.unsubscribe);
    put_text(told, "post", list.post);
    out["list"] = std::move(told);
  }
  json::array results;
  for (const auto& one : auth_results_of(mail)) {
    json::object told{{"server", one.server}};
    put_text(told, "spf", one.spf);
    put_text(told, "dkim", one.dkim);
    put_text(told, "dmarc", one.dmarc);
    put_text(told, "domain", one.domain);
    results.push_back(std::move(told));
  }
  if (!results.empty()) out["auth"] = std::move(results);
  put_text(out, "vigil", cut_text(header_of(mail, "x-vigil-entity"), 200));
}

json::object headers_told(const Mail& mail) {
  json::object out;
  for (const auto& [name, value] : mail.headers) {
    if (out.size() >= headers_told_max) break;
    if (name == "received" || name.size() > 100 || out.contains(name)) continue;
    out[name] = cut_text(value, header_bytes_max);
  }
  return out;
}

void put_parts(json::object& out, const Mail& mail) {
  json::array attachments;
  for (const auto& one : mail.attachments) {
    attachments.push_back(json::object{
        {"name", one.name}, {"type", one.type}, {"size", one.size}, {"inline", one.is_inline}});
  }
  if (!attachments.empty()) out["attachments"] = std::move(attachments);
  json::array calendars;
  for (const auto& one : mail.calendars) {
    calendars.push_back(json::object{{"method", one.method}, {"text", one.text}});
  }
  if (!calendars.empty()) out["calendar"] = std::move(calendars);
  out["size"] = mail.size;
  out["parts"] = array_of(mail.part_types);
  put(out, "defects", mail.defects);
}

void put_asks(json::object& out, const Mail& mail, const Body& body) {
  const auto written = mail.date.value_or(TimePoint{});
  const auto asks = asks_of(body.text, written, mail.date_offset_min);
  put(out, "questions", asks.questions);
  put_text(out, "greeted", greeted_name(body.text));
  if (!mail.date) return;  // "by Friday" says nothing without a day
  json::array promises;
  for (const auto& one : asks.promises) {
    promises.push_back(
        json::object{{"text", one.text}, {"who", one.who}, {"until", to_rfc3339(one.until)}});
  }
  if (!promises.empty()) out["promises"] = std::move(promises);
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes;
  std::string piece(64 * 1024, '\0');
  while (file && bytes.size() < file_bytes_max) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    bytes.append(piece, 0, static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof() && bytes.size() < file_bytes_max) {
    return fail(ErrorCode::not_found, fmt::format("cannot read {}", vigil::quoted(path)));
  }
  return bytes;
}

Result<std::string> message_in(const Request& request) {
  if (const auto encoded = find_text(request.input, "message")) {
    auto bytes = from_base64(*encoded);
    if (!bytes) return fail(ErrorCode::invalid_input, "message: expected base64");
    return std::move(*bytes);
  }
  const auto* files = find_path(request.input, "files");
  const auto* list = files == nullptr ? nullptr : files->if_array();
  if (list == nullptr || list->size() != 1 || !list->front().is_string()) {
    return fail(ErrorCode::invalid_input, "give one message: a file, or `message` as base64");
  }
  return read_file(std::string(list->front().get_string()));
}

std::string people_text(const std::vector<MailAddress>& people) {
  std::string out;
  for (const auto& one : people) {
    out += fmt::format("{}{}{}<{}>", out.empty() ? "" : ", ", one.name, one.name.empty() ? "" : " ",
                       one.address);
  }
  return out;
}

std::string for_people(const Mail& mail, const json::object& facts) {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{:<12}{}\n", name, value);
  };
  const json::value all(facts);
  const auto text = [&](std::string_view name) { return find_text(all, name).value_or(""); };
  line("from", people_text(mail.from));
  line("to", people_text(mail.to));
  line("cc", people_text(mail.cc));
  line("subject", mail.subject);
  line("date", mail.date ? to_rfc3339(*mail.date) : "");
  line("written by", fmt::format("{} ({})", text("kind"), text("kind_why")));
  for (const auto& one : auth_results_of(mail)) {
    line("checked by",
         fmt::format("{}: spf {}, dkim {}, dmarc {}", one.server, one.spf, one.dkim, one.dmarc));
  }
  for (const auto& one : mail.attachments) {
    line("attached", fmt::format("{} ({}, {} bytes)", one.name, one.type, one.size));
  }
  for (const auto& one : mail.defects) line("wrong", one);
  if (const auto* asked = find_path(all, "questions"); asked != nullptr) {
    for (const auto& one : asked->get_array()) line("asks", one.get_string());
  }
  if (const auto* promised = find_path(all, "promises"); promised != nullptr) {
    for (const auto& one : promised->get_array()) {
      line("until", fmt::format("{} ({}): {}", *find_text(one, "until"), *find_text(one, "who"),
                                *find_text(one, "text")));
    }
  }
  return out + "\n" + std::string(text("text"));
}

}  // namespace

json::object facts_of(const Mail& mail) {
  json::object out{{"message_id", mail.message_id}};
  put_text(out, "in_reply_to", mail.in_reply_to);
  put(out, "references", mail.references);
  put_people(out, mail);
  out["subject"] = mail.subject;
  if (mail.date) {
    out["date"] = to_rfc3339(*mail.date);
    out["date_offset_min"] = mail.date_offset_min;
  }
  put_origin(out, mail);
  out["headers"] = headers_told(mail);
  const auto html = html_to_text(mail.html, text_bytes_max * 4);
  // Hosts and forms are looked at in the form that is not shown, too.
  const auto spare = mail.html.empty() && mail.other.find('<') != std::string::npos
                         ? html_to_text(mail.other, text_bytes_max)
                         : HtmlText{};
  const bool from_html = trimmed(mail.plain).empty() && !html.text.empty();
  const auto whole = from_html ? html.text : mail.plain;
  const auto body = split_body(whole);
  out["text"] = cut_text(body.text, text_bytes_max);
  put_text(out, "quoted", cut_text(body.quoted, quoted_bytes_max));
  put_text(out, "signature", cut_text(body.signature, signature_bytes_max));
  if (from_html) out["html"] = true;
  put_text(out, "language", language_of(body.text));
  put_asks(out, mail, body);
  put_parts(out, mail);
  const auto& seen = mail.html.empty() ? spare : html;
  const auto enclosed = mail.other.find('<') == std::string::npos ? mail.other : spare.text;
  std::string told(without_list_footer(whole, organisation_of(list_of(mail).id)));
  if (!from_html) told += "\n" + html.text;
  out["features"] = features_of(mail, seen, told + enclosed);
  return out;
}

Result<json::value> look_at_mail(const Request& request) {
  const auto bytes = message_in(request);
  if (!bytes) return std::unexpected(bytes.error());
  const auto mail = read_mail(*bytes);
  auto facts = facts_of(mail);
  // A door gives the message itself and merges what it gets into its event.
  if (find_path(request.input, "message") != nullptr) return json::value(std::move(facts));
  auto text = for_people(mail, facts);
  return json::value(json::object{{"mail", std::move(facts)}, {"text", std::move(text)}});
}

}  // namespace vigil::entities::comms
