#pragma once
// Everything the configuration can say, as plain values. Filled by load.hpp from TOML, checked by
// validate(); no other folder sees TOML. Each member names its key; docs/configuration.md lists
// them with their defaults and a test compares the two.
#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "config/admin.hpp"
#include "config/comms.hpp"
#include "config/hearing.hpp"
#include "config/mail.hpp"
#include "config/market.hpp"
#include "config/match.hpp"
#include "config/minds.hpp"
#include "config/ops.hpp"
#include "config/outgoing.hpp"
#include "config/personal.hpp"
#include "config/red_builds.hpp"
#include "config/secret.hpp"
#include "config/upgrades.hpp"
#include "core/boxed.hpp"
#include "core/log.hpp"
#include "core/time.hpp"

namespace vigil::config {

using namespace std::chrono_literals;

struct Daemon {              // [daemon]
  std::string state_dir;     // default: $STATE_DIRECTORY, else ./vigild-state
  std::string admin_socket;  // default: <state_dir>/admin.sock
  LogLevel log_level = LogLevel::info;
  int decision_threads = 2;      // 1..64
  Duration drain_timeout = 20s;  // for running swarms and open requests at shutdown
  // So many starts that did not end as they should, within that time, and the next one is in safe
  // mode; 0: never.
  int safe_mode_starts = 5;
  Duration safe_mode_within = 5min;
  Duration stall_after = 500ms;  // the loop held for longer is logged and counted
};

struct Http {                                            // [http]
  std::vector<std::string> listen = {"127.0.0.1:8787"};  // address:port; port 0 takes any free one
  bool behind_proxy = false;                             // a public address is refused without it
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 25 * 1024 * 1024;
  int connections_max = 4096;
  int connections_per_address_max = 0;  // 0: only connections_max
  Duration head_timeout = 5s;
  Duration body_timeout = 30s;  // and never slower than 1 KiB/s
  Duration idle_timeout = 15s;
  Duration write_timeout = 10s;
};

struct Storage {                    // [storage]
  Duration events_keep = 90 * 24h;  // retention per table; 0 keeps for ever
  Duration ledger_keep = 365 * 24h;
  Duration swarms_keep = 90 * 24h;
  Duration episodes_keep = Duration{0};
  Duration cache_keep = 30 * 24h;  // results of tasks that later ones may take
  std::size_t cache_bytes_max = 256 * 1024 * 1024;
  std::size_t free_bytes_min = 64 * 1024 * 1024;  // stop accepting below this (or 5 % of the disk)
  std::size_t ballast_bytes = 16 * 1024 * 1024;
  int queue_max = 100'000;  // events accepted but not yet routed before 503
};

struct Swarms {                   // [swarm]
  int slots = 0;                  // tasks at once over all entities; 0: twice the processors
  int slots_per_entity = 0;       // 0: no limit of its own
  Duration task_timeout = 10min;  // default of a task
  Duration grace = 2s;            // between TERM and KILL
  std::size_t output_bytes_max = 1024 * 1024;
  std::size_t memory_bytes_max = 2ull * 1024 * 1024 * 1024;
  std::map<std::string, int> resources;  // [swarm.resources] name = how many at once
  std::map<std::string, int> rates;      // [swarm.rates] name = starts a minute of who holds it
};

// ---- sources: [source.NAME], kind = webhook | schedule | repository | poll | file | stream |
// calendar | documents | imap | maildir | lmtp | telegram

enum class Scheme {
  github,
  gitlab,
  gitea,
  slack,
  stripe,
  standard_webhooks,
  pagerduty,
  alertmanager,
  sns,
  ping,
  tradingview,
  hmac,
  bearer,
  basic,
  none,
  mailgun,
  sendgrid,
  postmark,
  telegram
};

struct Webhook {
  Scheme scheme = Scheme::standard_webhooks;
  std::vector<SecretRef> secrets;  // several while rotating; all are tried. tradingview: the last
                                   // step of the path, /hooks/<source>/<secret>
  std::string user;                // basic: the user name (the secret is the password)
  std::vector<std::string> allow;  // address ranges allowed to call: "52.89.214.238", "10.0.0.0/8"
  Duration tolerance = 5min;       // age of a signed timestamp
  std::size_t body_bytes_max = 0;  // 0: [http] body_bytes_max
  // hmac: where the signature stands and how it is written.
  std::string signature_header = "x-signature";
  std::string signature_prefix;            // e.g. "sha256="
  std::string signature_encoding = "hex";  // hex | base64
  // What the payload is about, for senders without a preset: dotted paths into the body.
  std::string type;  // constant type; default: <source>.<value at type_path>
  std::string type_path;
  std::string subject_path;
  std::string id_header;  // delivery id; default: the scheme's. Without one a signed body is its
                          // own id, and any other request is an event of its own
  // ping: what stands in /ping/<id>, one for each check. A secret in `secrets` is a key for all
  // checks: /ping/<key>/<check>.
  std::map<std::string, SecretRef> ids;
  int per_minute_max = 30;  // pings of one check
  // sns: who may speak, and how what they sign is looked at.
  std::vector<std::string> topics;
  std::string certificate;  // PEM file; empty: fetched from where the message says, if that is AWS
  bool confirm = false;     // answer the question whether a listed topic may send
  // slack, telegram: ids of ourselves, whose messages are not told; empty: those of no bot are.
  std::vector<std::string> own_ids;
  std::optional<Redelivery> redelivery;  // github
};

enum class Misfire { skip, run_once, run_all };
enum class Overlap { skip, buffer_one, buffer_all, cancel_other, allow_all };

struct Schedule {
  std::string cron;  // exactly one of cron, every, at
  std::optional<Duration> every;
  std::optional<TimePoint> at;
  std::string tz = "UTC";
  Duration jitter{0};
  Misfire misfire = Misfire::run_once;
  Duration misfire_grace = 1min;  // later than this is a misfire
  Duration catchup_spread{0};     // run_all: pause between the missed firings
  Overlap overlap = Overlap::skip;
  std::string type = "schedule.due";
  std::string subject;
  boost::json::object data;
};

struct Source {
  std::string name;
  bool trusted = false;      // its content is not written by strangers
  Duration expect_every{0};  // longer without an event is a silence; 0: any time
  std::variant<Webhook, Schedule, Repository, Poll, Files, Stream, Calendar, Documents, ImapSource,
               MaildirSource, LmtpSource, TelegramSource>
      of;
};

// ---- sinks: [sink.NAME], kind = http | github | command | file | log | git | imap | maildir |
// smtp | slack | telegram

struct HttpSink {
  std::string url;
  std::optional<SecretRef> secret;  // signs as Standard Webhooks when given
  std::map<std::string, std::string> headers;
  Duration timeout = 10s;
};
struct GithubSink {
  std::string base_url = "https://api.github.com";
  SecretRef token;
  std::string context = "vigild";  // of the commit status
  Duration timeout = 10s;
};
struct CommandSink {  // a runbook: the payload comes as JSON on standard input
  std::vector<std::string> argv;
  Duration timeout = 1min;
  bool idempotent = false;  // may be run again when its outcome is unknown
  int per_hour_max = 60;
  std::map<std::string, SecretRef> secrets;  // variable of its environment = what it holds
};
struct FileSink {
  std::string path;  // JSON lines are appended
};
struct LogSink {};
struct GitSink {                  // pushes branches that begin with vigil/
  std::string repository;         // a local clone
  std::string remote = "origin";  // a remote of it, or an address
  std::string ssh_key;            // a private key; empty: ssh's own choice
  std::string credentials;        // a file of git-credential-store; empty: git's own choice
  Duration timeout = 1min;
};

struct Sink {
  std::string name;
  std::variant<HttpSink, GithubSink, CommandSink, FileSink, LogSink, GitSink, ImapSink, MaildirSink,
               SmtpSink, SlackSink, TelegramSink>
      of;
};

// ---- entities: [entity.NAME]
// ----------------------------------------------------------------------

enum class Autonomy { observe, propose, act };

struct Subscription {        // [[entity.NAME.on]]
  std::string source = "*";  // names and types may hold `*` (any run of characters)
  std::vector<std::string> types = {"*"};
  Match match;       // empty: everything
  std::string when;  // a Lua expression over `event`; empty: true
};

struct Debounce {
  Duration period;
  Duration timeout{0};
};  // timeout 0: ten periods
struct Batch {
  int max_size = 100;
  Duration timeout = 1min;
};
struct Throttle {
  int count = 1;
  Duration period = 1min;
};
struct ActiveHours {
  std::vector<int> days = {1, 2, 3, 4, 5, 6, 7};  // ISO: Monday is 1
  int from_minute = 0;                            // of the day, local to tz
  int to_minute = 24 * 60;                        // may be less than from: over midnight
  std::string tz = "UTC";
};

struct Reactivity {  // [entity.NAME.reactivity]; all per case
  std::optional<Debounce> debounce;
  std::optional<Batch> batch;
  std::optional<Throttle> throttle;  // over it, events are coalesced into one later wake
  std::optional<Duration> cooldown;  // silence after a decision that acted
  std::optional<int> concurrency;    // swarms of this entity at once
  std::optional<ActiveHours> active_hours;
  std::vector<std::string> cancel_on;  // event types that cancel the case's running swarm
};

struct Budget {  // [entity.NAME.budget]; per day, 0: no limit
  std::int64_t tokens = 0;
  std::int64_t money_cents = 0;
  Duration compute{0};    // sum of task times
  int notifications = 0;  // actions that a person will see
  int swarms = 0;
  Boxed<Allowance> of_case;  // [entity.NAME.budget.case]: of one case
};

struct Command {  // one of a repository's own commands
  std::string name;
  std::vector<std::string> argv;
  Duration timeout = 10min;
  std::vector<std::string> paths;    // run only when a changed path matches one; empty: always
  std::vector<std::string> reports;  // globs of the test reports it leaves
};

struct Codebase {                      // [entity.NAME.codebase]
  std::string repository;              // a local clone
  std::string branch;                  // default: what HEAD names
  std::vector<std::string> analysers;  // default: all
  std::size_t large_file_bytes = 1024 * 1024;
  std::vector<std::string> ignore_paths;  // globs whose findings are dropped
  std::vector<Command> commands;          // [[entity.NAME.codebase.command]]
  std::string advisories;                 // OSV files; empty: dependencies are not looked at
  std::vector<std::string> orders_from;   // logins whose /orders in comments count, too
  std::string advisories_index;           // where what was read of them is kept; empty: nowhere
  std::string report_sink;                // where a review goes; empty: only remembered
  std::string status_sink;                // where a commit status goes
  std::optional<Upgrades> upgrades;       // proposals for what it is pinned to; none: off
  RedBuilds red_builds;                   // how failing commands are looked into
  std::string digest_sink;                // where digests go; empty: they are only remembered
};

struct RuleVerify {  // [entity.NAME.rule.task.verify]: members as of a task
  std::vector<std::string> argv;
  std::string builtin;
  boost::json::object input;
  Duration timeout = 1min;
  std::string sandbox = "strict";
};

struct RuleTask {  // [[entity.NAME.rule.task]]
  std::string name;
  std::vector<std::string> argv;  // exec; each element may hold {{expressions}}, except argv[0]
  std::string builtin;            // or a vigil-task analyser
  boost::json::object input;      // strings in it may hold {{expressions}}
  std::vector<std::string> needs;
  Duration timeout = 1min;
  int retries = 0;
  std::string sandbox = "strict";  // strict | net | none
  // What docs/plans.md says of them.
  std::string reduce;  // instead of argv and builtin
  std::vector<std::string> needs_interface;
  std::string for_each;
  int spawn_max = 0;
  int variants = 1;
  std::string digest;  // may hold {{expressions}}
  bool planner = false;
  bool hedge = false;
  bool cache = false;
  std::optional<RuleVerify> verify;
  std::optional<RuleAsk> ask;      // a question to a model, instead of argv
  std::optional<RuleAgent> agent;  // work for an agent, instead of argv
};

struct RuleAction {  // [[entity.NAME.rule.action]]
  std::string sink;
  std::string on = "event";     // event: at once; report, ok, failed: when the plan ended
  std::string kind = "notify";  // action class, for autonomy
  boost::json::object payload;  // strings in it may hold {{expressions}}
};

struct Rule {  // [[entity.NAME.rule]]
  std::string name;
  Match match;
  std::string when;      // Lua
  std::string remember;  // template of an episode; empty: none
  std::vector<RuleTask> tasks;
  std::string on_failure = "continue";  // continue | fail | partial
  std::vector<RuleAction> actions;
};

struct Rules {
  std::string case_key = "{{event.subject}}";  // template
  std::vector<Rule> rules;                     // the first that matches decides
};

struct Process {  // [entity.NAME.process]
  std::vector<std::string> argv;
  Duration timeout = 30s;  // for one answer
  std::string workdir;
  Duration restart_backoff = 1s;             // doubled up to 5 min
  std::string case_path = "subject";         // of the event's JSON: which case it belongs to
  std::map<std::string, SecretRef> secrets;  // variable of its environment = what it holds
};

struct Entity {
  std::string name;
  std::string kind;          // one of entity_kinds, config/words.hpp
  std::string role;          // for people: what it is for
  Duration expect_every{0};  // longer without an event it cares about is a silence; 0: any time
  std::vector<Subscription> on;
  Boxed<Reactivity> reactivity;
  Boxed<Advice> advice;
  Budget budget;
  Autonomy autonomy = Autonomy::propose;
  std::map<std::string, Autonomy> autonomy_of;  // [entity.NAME.autonomy_of] action class = ...
  std::variant<Boxed<Codebase>, Rules, Process, Boxed<Ops>, Boxed<Market>, Boxed<Comms>> of;
};

// What is said of an entity of that kind; nullptr: it is of another.
template <class Kind>
const Kind* find_kind(const Entity& entity) {
  if constexpr (std::is_same_v<Kind, Rules> || std::is_same_v<Kind, Process>) {
    return std::get_if<Kind>(&entity.of);
  } else {
    const auto* boxed = std::get_if<Boxed<Kind>>(&entity.of);
    return boxed == nullptr ? nullptr : &**boxed;
  }
}

struct Settings {
  Daemon daemon;
  Admin admin;
  Http http;
  Outgoing outgoing;
  Storage storage;
  Swarms swarm;
  Allowance budget;  // [budget]: of all entities together, a day
  Planning planning;
  Approvals approvals;
  MemoryUpkeep memory;
  std::map<std::string, Model> models;
  std::map<std::string, Agent> agents;
  std::map<std::string, McpServer> mcp;
  std::map<std::string, Source> sources;
  std::map<std::string, Sink> sinks;
  std::map<std::string, Entity> entities;
};

}  // namespace vigil::config
