#pragma once
// One look at a folder of documents: what is new, other, or gone since the last. Blocking, in a
// contained child.
#include <map>
#include <string>
#include <vector>

#include "entities/analyser.hpp"

namespace vigil::entities::knowledge {

struct Wanted {
  std::string path;
  std::vector<std::string> suffixes;
  std::vector<std::string> ignore;  // names; `*` any run of characters
  std::size_t file_bytes_max = 16 * 1024 * 1024;
  std::size_t files_max = 10'000;
  // By path within the folder: size, time and digest as they were ("1234 1732… ab12…").
  std::map<std::string, std::string> known;
};
struct FoundFile {
  std::string path;   // within the folder
  std::string stamp;  // as of `known`
  bool same = false;  // its content is what it was: only the stamp is new
  std::string title;
  std::string text;
  std::string trouble;  // why it could not be read; then there is no text
};
struct FolderLook {
  std::vector<FoundFile> files;
  std::vector<std::string> gone;
  std::vector<std::string> folders;  // to watch
  std::size_t left_out = 0;          // files beyond the bounds
  bool more = false;                 // there was too much for one look: look again
};
// A file whose size and time are as they were is not read.
Result<FolderLook> look_at_folder(const Wanted& wanted, std::size_t text_bytes_max);

Result<json::value> run_look(const Request& request);   // knowledge.look
Result<json::value> run_index(const Request& request);  // knowledge.index
Result<json::value> run_ask(const Request& request);    // knowledge.ask

}  // namespace vigil::entities::knowledge
