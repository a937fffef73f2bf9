#include "ctl/hook.hpp"
#include "ctl/nouns.hpp"

namespace vigil::ctl {

void add_source_verbs(CLI::App& app, Choice& choice) {
  auto* sources = add_noun(app, "sources", "where events come from");
  auto poked = std::make_shared<std::string>();
  auto* poke =
      add_verb(*sources, choice, "poke", "look now: a watched repository, a polled document",
               [poked](const Session& session) { return poke_source(session, *poked); });
  poke->add_option("SOURCE", *poked, "its name")->required();

  auto* hook = add_noun(app, "hook", "git hooks that tell the daemon of a push");
  auto args = std::make_shared<HookArgs>();
  auto* install = add_verb(*hook, choice, "install", "a post-receive hook that pokes a source",
                           [args](const Session& session) { return install_hook(session, *args); });
  install->add_option("REPOSITORY", args->repository, "a bare repository, or a clone")->required();
  install->add_option("--source", args->source, "a source of kind repository")->required();
  install->add_flag("--chain", args->chain, "keep the hook that is there; it runs first");
  auto removed = std::make_shared<std::string>();
  auto* remove =
      add_verb(*hook, choice, "remove", "take it away again",
               [removed](const Session& session) { return remove_hook(session, *removed); });
  remove->add_option("REPOSITORY", *removed, "where it was installed")->required();
}

}  // namespace vigil::ctl
