#pragma once
// The nouns of the command line, each with its verbs. Private to arguments*.cpp: it is heavy.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "ctl/pages.hpp"
#include "ctl/session.hpp"

namespace vigil::ctl {

struct Choice {
  bool json = false;
  bool follow = false;
  std::string socket;
  std::function<int(const Session&)> verb;
};

using Verb = std::function<int(const Session&)>;

// A verb under `noun` that does `run` when it is chosen.
CLI::App* add_verb(CLI::App& noun, Choice& choice, const std::string& name, const std::string& help,
                   Verb run);
CLI::App* add_noun(CLI::App& app, const std::string& name, const std::string& help);
// An id that stands on the line; lives as long as the verb.
std::shared_ptr<std::string> add_word(CLI::App& verb, const std::string& name,
                                      const std::string& help);

void add_daemon_verbs(CLI::App& app, Choice& choice);  // arguments.cpp
void add_event_verbs(CLI::App& app, Choice& choice);   // arguments_events.cpp
void add_work_verbs(CLI::App& app, Choice& choice);    // arguments_work.cpp
void add_memory_verbs(CLI::App& app, Choice& choice);  // arguments_memory.cpp
void add_config_verbs(CLI::App& app, Choice& choice);  // arguments_memory.cpp
void add_source_verbs(CLI::App& app, Choice& choice);  // arguments_sources.cpp

// The options of a list and the target they make.
struct ListArgs {
  std::string entity;
  std::string state;
  std::string before;
  int limit = 0;
  std::string target(const std::string& path) const;
};
enum class Paging { no, yes };
std::shared_ptr<ListArgs> add_list_options(CLI::App& verb, Paging paging);

}  // namespace vigil::ctl
