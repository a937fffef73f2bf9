#pragma once
// Sources of what belongs to a person: calendars and folders of documents. Plain values;
// settings.hpp holds them.
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/time.hpp"

namespace vigil::config {

enum class CalendarForm {
  file,    // an iCalendar file, or a folder of them, on this machine
  http,    // one that is fetched
  caldav,  // a collection on a CalDAV server
};

struct Calendar {  // kind = "calendar"
  CalendarForm form = CalendarForm::file;
  std::string path;
  std::string url;
  std::string user;
  std::optional<SecretRef> password;
  std::string tz = "UTC";                   // of times without a zone
  std::vector<std::string> soon = {"15m"};  // before an occurrence
  Duration look_ahead = std::chrono::hours{24 * 35};
  Duration every = std::chrono::minutes{15};
  bool backfill = false;  // tell at the first look what is there already
  std::size_t body_bytes_max = 16 * 1024 * 1024;
  Duration timeout = std::chrono::seconds{30};
};

struct Documents {  // kind = "documents"
  std::string path;
  std::string entity;  // who remembers them
  std::vector<std::string> suffixes = {"md", "txt", "html", "htm", "pdf"};
  std::vector<std::string> ignore = {".*", "node_modules"};
  Duration every = std::chrono::hours{1};
  std::size_t file_bytes_max = 16 * 1024 * 1024;
  int files_max = 10'000;
  Duration timeout = std::chrono::minutes{2};
};

}  // namespace vigil::config
