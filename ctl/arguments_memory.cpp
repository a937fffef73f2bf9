#include <boost/json/object.hpp>

#include "ctl/nouns.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

struct MindArgs {
  std::string entity;
  std::string prefix;
  std::string path;
  bool everything = false;
};

void add_search(CLI::App& noun, Choice& choice) {
  struct Args {
    std::vector<std::string> words;
    std::string entity;
    int limit = 20;
  };
  auto args = std::make_shared<Args>();
  auto* verb =
      add_verb(noun, choice, "search", "in episodes and documents", [args](const Session& session) {
        std::string words;
        for (const auto& word : args->words) {
          words += (words.empty() ? "" : " ") + word;
        }
        Target target("/v1/memory/search");
        target.with("q", words).with("entity", args->entity);
        target.with("limit", std::to_string(args->limit));
        return session.get(target.text(), found_page);
      });
  verb->add_option("WORDS", args->words, "all must occur")->required();
  verb->add_option("--entity", args->entity, "of this entity");
  verb->add_option("-n,--limit", args->limit, "how many (20)")->check(CLI::Range(1, 1'000));
}

void add_set(CLI::App& noun, Choice& choice) {
  auto args = std::make_shared<FactArgs>();
  auto* verb = add_verb(noun, choice, "set", "tell an entity a fact; null forgets it",
                        [args](const Session& session) { return set_fact(session, *args); });
  verb->add_option("ENTITY", args->entity, "its name")->required();
  verb->add_option("KEY", args->key, "dotted, such as owner.team")->required();
  verb->add_option("VALUE", args->value, "JSON, or a plain text")->required();
  verb->add_option("--confidence", args->confidence, "from 0 to 1 (1)")
      ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--from", args->provenance, "where it is known from");
}

void add_documents(CLI::App& noun, Choice& choice) {
  auto listed = std::make_shared<MindArgs>();
  auto* list = add_verb(noun, choice, "documents", "what it wrote, newest first",
                        [listed](const Session& session) {
                          Target target(path_of("/v1/memory/", listed->entity, "/documents"));
                          target.with("prefix", listed->prefix);
                          return session.get(target.text(), documents_page);
                        });
  list->add_option("ENTITY", listed->entity, "its name")->required();
  list->add_option("--prefix", listed->prefix, "keys that start with it");
  auto shown = std::make_shared<MindArgs>();
  auto* show =
      add_verb(noun, choice, "document", "one of them, as it is", [shown](const Session& session) {
        return show_document(session, shown->entity, shown->prefix);
      });
  show->add_option("ENTITY", shown->entity, "its name")->required();
  show->add_option("KEY", shown->prefix, "its key")->required();
}

}  // namespace

void add_memory_verbs(CLI::App& app, Choice& choice) {
  auto* memory = add_noun(app, "memory", "what entities remember");
  add_search(*memory, choice);
  auto shown = std::make_shared<MindArgs>();
  auto* show = add_verb(*memory, choice, "show", "facts, preferences, episodes",
                        [shown](const Session& session) {
                          Target target(path_of("/v1/memory/", shown->entity));
                          target.with("prefix", shown->prefix);
                          return session.get(target.text(), memory_page);
                        });
  show->add_option("ENTITY", shown->entity, "its name")->required();
  show->add_option("--prefix", shown->prefix, "keys that start with it");
  add_set(*memory, choice);
  add_documents(*memory, choice);
  auto lost = std::make_shared<MindArgs>();
  auto* forgets = add_verb(*memory, choice, "forget", "facts, preferences and documents by key",
                           [lost](const Session& session) {
                             return forget(session, lost->entity, lost->prefix, lost->everything);
                           });
  forgets->add_option("ENTITY", lost->entity, "its name")->required();
  forgets->add_option("PREFIX", lost->prefix, "keys that start with it");
  forgets->add_flag("--everything", lost->everything, "all keys");
  auto matured = std::make_shared<MindArgs>();
  auto* consolidates =
      add_verb(*memory, choice, "consolidate", "what the night does, now",
               [matured](const Session& session) { return consolidate(session, matured->entity); });
  consolidates->add_option("ENTITY", matured->entity, "its name")->required();
  auto out = std::make_shared<MindArgs>();
  auto* exports = add_verb(
      *memory, choice, "export", "a mind as JSON lines",
      [out](const Session& session) { return export_mind(session, out->entity, out->path); });
  exports->add_option("ENTITY", out->entity, "its name")->required();
  exports->add_option("PATH", out->path, "a new file; else standard output");
  auto in = std::make_shared<MindArgs>();
  auto* imports =
      add_verb(*memory, choice, "import", "bring such lines back",
               [in](const Session& session) { return import_mind(session, in->entity, in->path); });
  imports->add_option("ENTITY", in->entity, "its name")->required();
  imports->add_option("PATH", in->path, "the file, or - for standard input")->required();
}

void add_config_verbs(CLI::App& app, Choice& choice) {
  auto* config = add_noun(app, "config", "what the daemon is told to be");
  auto checked = std::make_shared<std::string>();
  auto* check =
      add_verb(*config, choice, "check", "every mistake, by file and line",
               [checked](const Session& session) { return check_config(session, *checked); });
  check->add_option("PATH", *checked, "a vigild.toml or its folder; else the daemon's");
  add_verb(*config, choice, "diff", "what a reload would change",
           [](const Session& session) { return session.get("/v1/config/diff", diff_page); });
  add_verb(*config, choice, "reload", "take the files on disk", reload_config);
  add_verb(*config, choice, "show", "what is in force, every default written out", show_config);

  auto* backup = add_noun(app, "backup", "copies of the database");
  auto made = std::make_shared<std::string>();
  auto* create = add_verb(*backup, choice, "create", "a consistent copy while all goes on",
                          [made](const Session& session) { return create_backup(session, *made); });
  create->add_option("PATH", *made, "a new file; else <state_dir>/backups/");
  auto verified = std::make_shared<std::string>();
  auto* verify =
      add_verb(*backup, choice, "verify", "is it whole (needs no daemon)",
               [verified](const Session& session) { return verify_backup(session, *verified); });
  verify->add_option("PATH", *verified, "the file")->required();
  struct Restored {
    std::string path;
    std::string state_dir;
  };
  auto restored = std::make_shared<Restored>();
  auto* restore = add_verb(*backup, choice, "restore", "in place of a stopped daemon's database",
                           [restored](const Session& session) {
                             return restore_backup(session, restored->path, restored->state_dir);
                           });
  restore->add_option("PATH", restored->path, "the backup")->required();
  restore->add_option("--state-dir", restored->state_dir, "the daemon's state directory")
      ->required();
}

}  // namespace vigil::ctl
