#pragma once
// Sources that look for themselves, where nobody sends a webhook: a repository on this machine, a
// document that is fetched again and again. Plain values; settings.hpp holds them.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "config/streams.hpp"
#include "core/time.hpp"

namespace vigil::config {

using namespace std::chrono_literals;

struct Repository {
  std::string path;  // bare or with a work tree
  std::string name;  // octo/repo; empty: that of the folder
  std::vector<std::string> refs = {"refs/heads/*", "refs/tags/*"};
  std::string type = "git.push";
  Duration settle = 200ms;  // quiet for so long before it is read
  Duration every = 5min;    // read anyway, for file systems that notify nobody; 0: never
  Duration timeout = 2min;  // of one reading
  int commits_max = 20;     // in one event
  bool backfill = false;    // at the first look tell what is there already
};

enum class PollForm {
  items,          // a list: one event for each item that was not there before
  document,       // one event when the document is another one
  github_events,  // the events of GitHub's API, as its webhooks would have told them
  feed,           // RSS, Atom or JSON Feed: one event for each entry
  table,          // rows of CSV or JSON: quotes, bars or plain rows
};

struct Poll {
  std::string url;
  PollForm form = PollForm::items;
  Duration every = 1min;
  std::optional<SecretRef> token;              // sent as Authorization: Bearer
  std::map<std::string, std::string> headers;  // beside it
  std::string items;                           // where the list stands; empty: it is the document
  std::string id = "id";                       // of an item
  std::string type = "poll.item";
  std::string type_path;
  std::string subject_path;
  std::string time_path;
  bool newest_first = true;  // the order of the list: events come oldest first
  bool backfill = false;     // tell what is there at the first look
  int remember = 5000;       // ids of items
  bool updates = false;      // feed: tell an entry again when it says something else
  Boxed<Mapping> table;      // form table
  std::size_t body_bytes_max = 4 * 1024 * 1024;
  Duration timeout = 20s;
};

}  // namespace vigil::config
