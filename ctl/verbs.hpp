#pragma once
// What vigilctl does, one function a verb; each returns the exit code. arguments.cpp maps the
// command line onto them.
#include <string>
#include <vector>

#include "ctl/session.hpp"

namespace vigil::ctl {

// verbs_events.cpp
struct TailArgs {
  std::string source;
  std::string type;
  std::string topics;  // empty: all
  std::string entity;
  int count = -1;  // old ones first; -1: 20, and none when following
};
int tail_events(const Session& session, const TailArgs& args);
struct EmitArgs {
  std::string type;
  std::string source;
  std::string subject;
  std::string uid;
  std::string data;  // JSON, @FILE or -
  bool untrusted = false;
};
int emit_event(const Session& session, const EmitArgs& args);
int explain_event(const Session& session, const std::string& id);

// verbs_actions.cpp
struct ApproveArgs {
  std::string id;
  std::string note;
  bool always = false;  // and the next ones like it
};
int approve(const Session& session, const ApproveArgs& args);

// verbs_mail.cpp
struct DeliverArgs {
  std::string where;  // path of a socket, or 127.0.0.1:24
  std::string sender;
  std::vector<std::string> recipients;
};
// The message stands on standard input. Exit codes of sysexits.h: 0, 69, 75.
int deliver_mail(const DeliverArgs& args);

// verbs_picture.cpp
struct ShowSwarmArgs {
  std::string id;
  bool all = false;      // every task of a long list
  std::string html;      // draw it into this file instead; -: standard output
  bool results = false;  // with what the tasks answered
};
int show_swarm(const Session& session, const ShowSwarmArgs& args);

// verbs_swarms.cpp
struct RunPlanArgs {
  std::string file;  // -: standard input
  std::string entity;
  bool watch = false;  // goes on as watch_swarms does
};
int run_plan(const Session& session, const RunPlanArgs& args);
struct TrendArgs {
  std::string entity;  // empty: all of them
  int days = 0;        // 0: as many as the daemon thinks
};
int show_trend(const Session& session, const TrendArgs& args);

// watch.cpp
int watch_swarms(const Session& session, const std::string& id);
int show_top(const Session& session, int interval_seconds, int count);

// verbs_memory.cpp
struct FactArgs {
  std::string entity;
  std::string key;
  std::string value;  // JSON, or a plain text
  double confidence = 1.0;
  std::string provenance;
};
int set_fact(const Session& session, const FactArgs& args);
int consolidate(const Session& session, const std::string& entity);
int forget(const Session& session, const std::string& entity, const std::string& prefix,
           bool everything);
// Prints the document as it is: Markdown.
int show_document(const Session& session, const std::string& entity, const std::string& key);
// What is left to write about the last incident of a case that is over.
int show_post_mortem(const Session& session, const std::string& case_id);
int export_mind(const Session& session, const std::string& entity, const std::string& path);
int import_mind(const Session& session, const std::string& entity, const std::string& path);

// mcp.cpp
int serve_mcp(const Session& session);  // until standard input ends

// verbs_config.cpp
int check_config(const Session& session, const std::string& path);
int reload_config(const Session& session);
int show_config(const Session& session);
int create_backup(const Session& session, const std::string& path);
int verify_backup(const Session& session, const std::string& path);
int restore_backup(const Session& session, const std::string& path, const std::string& state_dir);
int show_metrics(const Session& session);
int show_version(const Session& session);

// doctor.cpp
enum class Chains { leave, read };
int run_doctor(const Session& session, const std::string& config_path, Chains chains);

// Where a configuration is looked for when none is named: ./vigild.toml, /etc/vigild/vigild.toml.
std::string default_config();

}  // namespace vigil::ctl
