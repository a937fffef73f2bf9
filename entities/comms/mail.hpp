#pragma once
// A message as it was read: RFC 5322 and MIME, decoded, within bounds. Values; any thread.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::comms {

struct MailAddress {
  std::string name;
  std::string address;  // in lower case; empty when only a name is there
};

struct MailAttachment {
  std::string name;
  std::string type;
  std::size_t size = 0;  // decoded, in bytes
  bool is_inline = false;
};

struct MailCalendar {
  std::string method;
  std::string text;
};

struct Mail {
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, unfolded, raw
  std::string message_id;
  std::string in_reply_to;
  std::vector<std::string> references;  // oldest first
  std::vector<MailAddress> from, sender, reply_to, to, cc, bcc;
  std::string subject;
  std::optional<TimePoint> date;
  int date_offset_min = 0;
  std::string plain;  // text parts that are meant to be read, one after the other
  std::string html;   // of those that have no plain form
  std::string other;  // texts that have a better form, and those of enclosed messages
  std::vector<MailAttachment> attachments;
  std::vector<MailCalendar> calendars;
  std::vector<std::string> part_types;  // in the order they stand
  std::vector<std::string> charsets;
  std::size_t size = 0;
  std::vector<std::string> defects;  // what was wrong with it, one clause each
};

struct MailBounds {
  std::size_t message_bytes = 50 * 1024 * 1024;
  std::size_t parts = 500;
  int depth = 30;
  std::size_t text_bytes = 1024 * 1024;  // of each of plain, html and other
  std::size_t addresses = 200;
  std::size_t references = 100;
};

// Reads any bytes: what is broken is read as far as it goes and listed in `defects`. Not
// thread-safe: the library underneath (GMime) is set up once. For a contained child.
Mail read_mail(std::string_view bytes, const MailBounds& bounds = {});

// The first value of a header, empty when there is none.
std::string_view header_of(const Mail& mail, std::string_view name);

}  // namespace vigil::entities::comms
