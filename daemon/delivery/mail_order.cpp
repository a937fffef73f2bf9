#include "daemon/delivery/mail_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "daemon/mail/imap_response.hpp"
#include "daemon/mail/pattern.hpp"

namespace vigil::delivery {
namespace {

constexpr std::size_t words_max = 50;

std::unexpected<Error> wrong(std::string_view member, std::string_view expected) {
  return fail(ErrorCode::invalid_input,
              fmt::format("the payload's {}: expected {}", member, expected));
}

std::string text_at(const json::value& payload, std::string_view path) {
  return std::string(find_text(payload, path).value_or(""));
}

bool is_atom(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("(){%*\"\\]").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

// \Deleted would let anybody's next EXPUNGE take it away, and \Recent is the server's own.
bool is_flag(std::string_view text) {
  if (mail::equal_words(text, "\\Deleted") || mail::equal_words(text, "\\Recent")) return false;
  return is_atom(text.starts_with('\\') ? text.substr(1) : text);
}

// A label may hold anything; a keyword is an atom.
std::string keyword_of(std::string text) {
  std::ranges::replace(text, ' ', '_');
  return mail::to_wire_name(text);
}

Result<std::vector<std::string>> words_at(const json::value& payload, std::string_view member,
                                          bool labels) {
  std::vector<std::string> out;
  const auto* given = find_path(payload, member);
  if (given == nullptr || given->is_null()) return out;
  if (!given->is_array() || given->get_array().size() > words_max) {
    return wrong(member, "a list of at most 50 flags or labels");
  }
  for (const auto& one : given->get_array()) {
    std::string word(one.is_string() ? std::string_view(one.get_string()) : "");
    if (labels && !word.starts_with('\\') && !word.starts_with('$')) word = keyword_of(word);
    if (!is_flag(word)) return wrong(member, "flags such as \\Seen or $Junk, or labels");
    out.push_back(std::move(word));
  }
  return out;
}

std::uint64_t number_at(const json::value& payload, std::string_view path) {
  const auto value = find_integer(payload, path).value_or(0);
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

bool is_folder(std::string_view text) {
  return !text.empty() && text.size() <= 500 &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

Result<MailOrder> mail_order_from(const json::value& payload) {
  MailOrder out;
  const auto what = text_at(payload, "do");
  if (what == "draft") {
    out.what = MailOrder::What::draft;
    return out;
  }
  if (what == "send" || what == "forward") {
    return fail(ErrorCode::invalid_input,
                "this sink sends nothing: give the action to a sink of kind \"smtp\"");
  }
  const bool labels = what == "label";
  if (what == "move") {
    out.what = MailOrder::What::move;
  } else if (what == "delete") {
    out.what = MailOrder::What::remove;
  } else if (what != "flag" && !labels) {
    return wrong("do", "flag, label, move, draft or delete");
  }
  out.folder = text_at(payload, "message.raw_ref.folder");
  if (out.folder.empty()) out.folder = text_at(payload, "message.folder");
  out.message_id = text_at(payload, "message.message_id");
  out.uid = number_at(payload, "message.raw_ref.uid");
  out.uid_validity = number_at(payload, "message.raw_ref.uidvalidity");
  out.file = text_at(payload, "message.raw_ref.file");
  if (out.message_id.empty()) return wrong("message.message_id", "the id of the message");
  auto add = words_at(payload, "add", labels);
  if (!add) return std::unexpected(std::move(add.error()));
  auto remove = words_at(payload, "remove", labels);
  if (!remove) return std::unexpected(std::move(remove.error()));
  out.add = std::move(*add);
  out.remove = std::move(*remove);
  if (out.what == MailOrder::What::mark && out.add.empty() && out.remove.empty()) {
    return wrong("add", "a flag or label to add or remove");
  }
  out.to = text_at(payload, "to");
  if (out.what == MailOrder::What::move && !is_folder(out.to)) return wrong("to", "a folder");
  return out;
}

Result<void> may_touch(const config::ImapSink& settings, const MailOrder& order) {
  if (mail::fits_any(settings.protected_folders, order.folder) ||
      (!order.to.empty() && mail::fits_any(settings.protected_folders, order.to))) {
    return fail(ErrorCode::forbidden, "the folder is one of protected_folders: nothing is done");
  }
  if (order.what != MailOrder::What::move || settings.folders.empty() ||
      mail::fits_any(settings.folders, order.to)) {
    return {};
  }
  return fail(
      ErrorCode::forbidden,
      fmt::format("the folder \"{}\" is not one of `folders`: nothing is moved there", order.to));
}

}  // namespace vigil::delivery
