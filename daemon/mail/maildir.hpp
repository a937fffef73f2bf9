#pragma once
// Maildirs (https://cr.yp.to/proto/maildir.html) with folders as Maildir++ has them: names of files
// and what is done to them. Everything here may block on the disk: never on the loop.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::mail {

// "1700000000.M1P2.host,S=12:2,FS" is the unique name "1700000000.M1P2.host,S=12" and \Flagged
// \Seen.
struct MaildirName {
  std::string unique;
  std::vector<std::string> flags;  // as IMAP writes them, sorted
};
MaildirName parse_maildir_name(std::string_view file);
// The file's name in cur/. Flags that a Maildir has no letter for are left out.
std::string maildir_name(std::string_view unique, const std::vector<std::string>& flags);
bool has_maildir_letter(std::string_view flag);

// The directory of a folder: INBOX is the root, "Archive/2026" is .Archive.2026. Nothing: no folder
// is called that.
std::optional<std::string> maildir_folder(const std::string& root, std::string_view folder);

struct MaildirFile {
  std::string folder;
  std::string path;
  std::string unique;
  std::vector<std::string> flags;
  std::int64_t seconds = 0;  // of its last change: when it came
};
// Every message of these folders. A folder that is not there holds none, but for the inbox.
Result<std::vector<MaildirFile>> list_maildir(const std::string& root,
                                              const std::vector<std::string>& folders);
// Where a message lies now, whatever its flags; nothing: it is not in the folder.
std::optional<MaildirFile> find_in_maildir(const std::string& root, const std::string& folder,
                                           const std::string& unique);
// The beginning of a file. not_found: it is gone.
struct FileStart {
  std::string text;
  std::uint64_t bytes = 0;  // of the whole file
};
Result<FileStart> read_start(const std::string& path, std::size_t bytes_max);

// Sets its flags and its folder in one rename, and syncs. The folder is made when it is not there.
Result<void> put_in_maildir(const std::string& root, const MaildirFile& file,
                            const std::string& folder, const std::vector<std::string>& flags);
// A new message under that unique name, on the disk when it returns. One that is there already
// stays as it is.
Result<void> add_to_maildir(const std::string& root, const std::string& folder,
                            const std::string& unique, const std::vector<std::string>& flags,
                            const std::string& message);

// A whole file, its name and its directory on the disk; one that is there already stays.
Result<void> write_durably(const std::string& directory, const std::string& name,
                           const std::string& bytes);

}  // namespace vigil::mail
