#include <fmt/format.h>
#include <gmime/gmime.h>

#include <algorithm>
#include <memory>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "entities/comms/mail.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

struct Unref {
  template <class T>
  void operator()(T* object) const {
    g_object_unref(object);
  }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};
struct FreeText {
  void operator()(char* text) const { g_free(text); }
};
using Text = std::unique_ptr<char, FreeText>;

constexpr std::size_t defects_max = 20;
constexpr std::size_t headers_max = 400;
constexpr std::size_t header_bytes_max = 16 * 1024;
constexpr std::size_t calendar_bytes_max = 64 * 1024;
constexpr std::size_t calendars_max = 4;
constexpr std::size_t attachments_max = 100;

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : to_valid_utf8(text);
}

std::string one_line(std::string text, std::size_t bytes_max) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return cut_text(trimmed(text), bytes_max);
}

class Reading {
 public:
  Reading(const MailBounds& bounds, Mail& mail) : bounds_(bounds), mail_(mail) {
    options_.reset(g_mime_parser_options_new());
    const char* charsets[] = {"utf-8", "windows-1252", nullptr};
    g_mime_parser_options_set_fallback_charsets(options_.get(), charsets);
    g_mime_parser_options_set_allow_addresses_without_domain(options_.get(), TRUE);
    g_mime_parser_options_set_warning_callback(options_.get(), &Reading::warn, this);
  }

  void read(std::string_view bytes) {
    const Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
    const Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    // Messages out of a mailbox file may begin with its separator.
    if (bytes.starts_with("From ")) {
      g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MBOX);
    }
    const Object<GMimeMessage> message(
        g_mime_parser_construct_message(parser.get(), options_.get()));
    if (!message) {
      defect("it has no header");
      mail_.plain =
          cut_text(to_valid_utf8(bytes.substr(0, bounds_.text_bytes)), bounds_.text_bytes);
      return;
    }
    read_headers(GMIME_OBJECT(message.get()));
    read_fields(message.get());
    if (auto* body = g_mime_message_get_mime_part(message.get()); body != nullptr) {
      read_headers(body);  // the Content-... of the message are its body's
      walk(body, 0, Role::shown);
    }
  }

 private:
  // Shown: meant to be read. Spare: another form of what is shown, or part of an enclosed message.
  enum class Role { shown, spare };

  static void warn(gint64, GMimeParserWarning code, const gchar*, gpointer self) {
    static_cast<Reading*>(self)->defect(meaning_of(code));
  }

  static std::string_view meaning_of(GMimeParserWarning code) {
    switch (code) {
      case GMIME_WARN_DUPLICATED_HEADER:
      case GMIME_CRIT_CONFLICTING_HEADER:
        return "a header that may stand once stands twice";
      case GMIME_WARN_DUPLICATED_PARAMETER:
      case GMIME_WARN_INVALID_PARAMETER:
      case GMIME_CRIT_CONFLICTING_PARAMETER:
        return "a parameter that is none, or stands twice";
      case GMIME_WARN_UNENCODED_8BIT_HEADER:
        return "a header with bytes that are not ASCII";
      case GMIME_WARN_INVALID_CONTENT_TYPE:
        return "a Content-Type that is none";
      case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE:
        return "an encoded word that is none";
      case GMIME_WARN_MALFORMED_MULTIPART:
      case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
        return "a multipart without parts";
      case GMIME_WARN_TRUNCATED_MESSAGE:
        return "it ends too early";
      case GMIME_CRIT_INVALID_HEADER_NAME:
        return "a header name that is none";
      case GMIME_WARN_INVALID_ADDRESS_LIST:
        return "addresses that are none";
      case GMIME_CRIT_NESTING_OVERFLOW:
        return "parts nested deeper than are read";
      default:
        return "wrong in its form";
    }
  }

  void defect(std::string_view what) {
    auto& all = mail_.defects;
    if (all.size() < defects_max && std::ranges::find(all, what) == all.end()) {
      all.emplace_back(what);
    }
  }

  void read_headers(GMimeObject* message) {
    auto* list = g_mime_object_get_header_list(message);
    const int count = g_mime_header_list_get_count(list);
    for (int i = 0; i < count && mail_.headers.size() < headers_max; ++i) {
      auto* header = g_mime_header_list_get_header_at(list, i);
      const auto name = lower_ascii(text_of(g_mime_header_get_name(header)));
      const Text unfolded(g_mime_utils_header_unfold(g_mime_header_get_raw_value(header) == nullptr
                                                         ? ""
                                                         : g_mime_header_get_raw_value(header)));
      mail_.headers.emplace_back(name, one_line(text_of(unfolded.get()), header_bytes_max));
    }
  }

  void read_addresses(InternetAddressList* list, std::vector<MailAddress>& to, int depth = 0) {
    const int count = list == nullptr ? 0 : internet_address_list_length(list);
    for (int i = 0; i < count && to.size() < bounds_.addresses; ++i) {
      auto* one = internet_address_list_get_address(list, i);
      if (INTERNET_ADDRESS_IS_GROUP(one)) {
        auto* members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one));
        if (depth < 3) read_addresses(members, to, depth + 1);
        continue;
      }
      MailAddress out;
      out.name = one_line(text_of(internet_address_get_name(one)), 200);
      const auto* mailbox = INTERNET_ADDRESS_MAILBOX(one);
      out.address = lower_ascii(one_line(
          text_of(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(mailbox))), 320));
      to.push_back(std::move(out));
    }
  }

  void read_ids(GMimeMessage* message) {
    mail_.message_id = one_line(text_of(g_mime_message_get_message_id(message)), 500);
    const auto ids = [&](const char* name) {
      std::vector<std::string> out;
      const auto* value = g_mime_object_get_header(GMIME_OBJECT(message), name);
      if (value == nullptr) return out;
      auto* list = g_mime_references_parse(options_.get(), value);
      const int count = g_mime_references_length(list);
      for (int i = 0; i < count; ++i) {
        auto id = one_line(text_of(g_mime_references_get_message_id(list, i)), 500);
        if (!id.empty()) out.push_back(std::move(id));
      }
      g_mime_references_free(list);
      return out;
    };
    mail_.references = ids("References");
    // The oldest names the thread; of the rest the newest matter.
    if (const auto all = mail_.references.size(); all > bounds_.references) {
      defect("more references than are kept");
      const auto drop = static_cast<std::ptrdiff_t>(all - bounds_.references);
      mail_.references.erase(mail_.references.begin() + 1, mail_.references.begin() + 1 + drop);
    }
    if (const auto answered = ids("In-Reply-To"); !answered.empty()) {
      mail_.in_reply_to = answered.front();
    }
  }

  void read_fields(GMimeMessage* message) {
    read_ids(message);
    read_addresses(g_mime_message_get_from(message), mail_.from);
    read_addresses(g_mime_message_get_sender(message), mail_.sender);
    read_addresses(g_mime_message_get_reply_to(message), mail_.reply_to);
    read_addresses(g_mime_message_get_to(message), mail_.to);
    read_addresses(g_mime_message_get_cc(message), mail_.cc);
    read_addresses(g_mime_message_get_bcc(message), mail_.bcc);
    mail_.subject = one_line(text_of(g_mime_message_get_subject(message)), 1000);
    if (auto* date = g_mime_message_get_date(message); date != nullptr) {
      const auto seconds = g_date_time_to_unix(date);
      // Years that people write: outside of them the date says nothing.
      constexpr gint64 year_1970 = 0;
      constexpr gint64 year_2200 = 7'258'118'400;
      if (seconds > year_1970 && seconds < year_2200) {
        mail_.date = TimePoint{std::chrono::seconds{seconds}};
        mail_.date_offset_min =
            static_cast<int>(g_date_time_get_utc_offset(date) / (60 * 1'000'000));
      } else {
        defect("a date that cannot be");
      }
    }
  }

  void walk(GMimeObject* part, int depth, Role role) {
    auto* type = g_mime_object_get_content_type(part);
    const Text mime(g_mime_content_type_get_mime_type(type));
    const auto name = lower_ascii(text_of(mime.get()));
    if (mail_.part_types.size() >= bounds_.parts) return defect("more parts than are read");
    mail_.part_types.push_back(name);
    if (depth >= bounds_.depth) return defect("parts nested deeper than are read");
    if (GMIME_IS_MULTIPART(part)) {
      walk_multipart(GMIME_MULTIPART(part), depth, role, name);
    } else if (GMIME_IS_MESSAGE_PART(part)) {
      auto* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
      auto called = text_of(g_mime_object_get_content_disposition_parameter(part, "filename"));
      if (called.empty()) called = text_of(g_mime_object_get_content_type_parameter(part, "name"));
      if (called.empty() && inner != nullptr) called = text_of(g_mime_message_get_subject(inner));
      attach(part, name, called, 0);
      auto* body = inner == nullptr ? nullptr : g_mime_message_get_mime_part(inner);
      if (body != nullptr) walk(body, depth + 1, Role::spare);
    } else if (GMIME_IS_PART(part)) {
      read_part(GMIME_PART(part), name, role);
    }
  }

  void walk_multipart(GMimeMultipart* many, int depth, Role role, const std::string& name) {
    const int count = g_mime_multipart_get_count(many);
    if (name != "multipart/alternative") {
      for (int i = 0; i < count; ++i) walk(g_mime_multipart_get_part(many, i), depth + 1, role);
      return;
    }
    // The plain form is read when it says anything, else what stands instead.
    const auto plain_before = mail_.plain.size();
    const auto html_before = mail_.html.size();
    for (int i = 0; i < count; ++i) walk(g_mime_multipart_get_part(many, i), depth + 1, role);
    const bool says = mail_.plain.find_first_not_of(" \t\r\n", plain_before) != std::string::npos;
    if (says && mail_.html.size() > html_before) {
      append(mail_.other, mail_.html.substr(html_before));
      mail_.html.resize(html_before);
    }
  }

  void append(std::string& to, const std::string& text) {
    if (!to.empty() && !to.ends_with('\n')) to += '\n';
    if (to.size() + text.size() > bounds_.text_bytes) {
      defect("text longer than is read");
      to += cut_text(text, bounds_.text_bytes - std::min(to.size(), bounds_.text_bytes));
      return;
    }
    to += text;
  }

  // A part that is no text by its type, though nobody wrote that type: what a Content-Type that is
  // none becomes (RFC 2045 part 5.2 says text/plain).
  static bool is_untyped(GMimePart* part, const std::string& type) {
    const auto* written = g_mime_object_get_header(GMIME_OBJECT(part), "Content-Type");
    return type == "application/octet-stream" && written != nullptr &&
           !lower_ascii(trimmed(written)).starts_with(type);
  }

  std::string decoded_text(GMimePart* part) {
    const auto* named = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    const auto charset = lower_ascii(text_of(named));
    const bool wide = charset.starts_with("utf-16") || charset.starts_with("utf-32") ||
                      charset.starts_with("ucs");
    auto* content = g_mime_part_get_content(part);
    const Object<GMimeStream> memory(g_mime_stream_mem_new());
    if (content == nullptr) return {};
    (void)g_mime_data_wrapper_write_to_stream(content, memory.get());  // what there is
    const auto* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
    std::string text(reinterpret_cast<const char*>(bytes->data), bytes->len);
    if (GMIME_IS_TEXT_PART(part) && (wide || text.find('\0') == std::string::npos)) {
      const Text converted(g_mime_text_part_get_text(GMIME_TEXT_PART(part)));
      return text_of(converted.get());
    }
    // The library's text would end at the first zero byte, and hide the rest.
    if (text.find('\0') != std::string::npos) defect("text with zero bytes");
    std::ranges::replace(text, '\0', ' ');
    return to_valid_utf8(text);
  }

  void read_part(GMimePart* part, std::string type, Role role) {
    const bool attached = g_mime_part_is_attachment(part) != 0;
    const std::string name = text_of(g_mime_part_get_filename(part));
    if (is_untyped(part, type) && !attached && name.empty()) {
      type = mail_.part_types.back() = "text/plain";
    }
    if (GMIME_IS_TEXT_PART(part) || type == "text/plain") {
      if (const auto* charset =
              g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
          charset != nullptr && mail_.charsets.size() < 20) {
        mail_.charsets.push_back(one_line(lower_ascii(text_of(charset)), 40));
      }
      const bool to_read = type == "text/plain" || type == "text/html" || type == "text/enriched";
      const auto decoded = decoded_text(part);
      if (type == "text/calendar" && mail_.calendars.size() < calendars_max) {
        const auto* method = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "method");
        mail_.calendars.push_back(
            {one_line(text_of(method), 40), cut_text(decoded, calendar_bytes_max)});
      }
      if (to_read && !attached) {
        auto& shown = type == "text/html" ? mail_.html : mail_.plain;
        append(role == Role::shown ? shown : mail_.other, decoded);
        if (name.empty()) return;
      }
      return attach(GMIME_OBJECT(part), type, name, decoded.size());
    }
    attach(GMIME_OBJECT(part), type, name, decoded_size(part));
  }

  static std::size_t decoded_size(GMimePart* part) {
    auto* content = g_mime_part_get_content(part);
    if (content == nullptr) return 0;
    const Object<GMimeStream> nowhere(g_mime_stream_null_new());
    const auto written = g_mime_data_wrapper_write_to_stream(content, nowhere.get());
    return written < 0 ? 0 : static_cast<std::size_t>(written);
  }

  void attach(GMimeObject* part, const std::string& type, const std::string& name,
              std::size_t size) {
    if (mail_.attachments.size() >= attachments_max)
      return defect("more attachments than are kept");
    const auto* disposition = g_mime_object_get_disposition(part);
    const bool shown = disposition != nullptr && lower_ascii(disposition) == "inline";
    mail_.attachments.push_back({one_line(name, 255), type, size, shown});
  }

  const MailBounds& bounds_;
  Mail& mail_;
  std::unique_ptr<GMimeParserOptions, FreeOptions> options_;
};

}  // namespace

Mail read_mail(std::string_view bytes, const MailBounds& bounds) {
  static const bool ready = (g_mime_init(), true);
  (void)ready;
  Mail mail;
  mail.size = bytes.size();
  Reading reading(bounds, mail);
  if (bytes.size() > bounds.message_bytes) {
    mail.defects.push_back(
        fmt::format("{} bytes were not read", bytes.size() - bounds.message_bytes));
    bytes = bytes.substr(0, bounds.message_bytes);
  }
  reading.read(bytes);
  if (mail.message_id.empty()) {
    const auto digest = sha256(bytes);
    mail.message_id = to_hex(as_bytes(digest).substr(0, 16)) + "@no-id";
  }
  return mail;
}

std::string_view header_of(const Mail& mail, std::string_view name) {
  const auto found =
      std::ranges::find_if(mail.headers, [&](const auto& header) { return header.first == name; });
  return found == mail.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace vigil::entities::comms
