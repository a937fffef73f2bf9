#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "ctl/verbs.hpp"

namespace vigil::ctl {

int approve(const Session& session, const ApproveArgs& args) {
  json::object body;
  if (!args.note.empty()) body["note"] = args.note;
  if (args.always) body["always"] = true;
  const auto answer = session.fetch("POST", path_of("/v1/actions/", args.id, "/approve"),
                                    to_text(json::value(body)));
  if (!answer) return answer.error();
  if (session.output == Output::json) {
    print(session.json_text(*answer));
    return exit_ok;
  }
  std::string out = fmt::format("{}: approved, on its way\n", safe(args.id));
  if (const auto key = find_text(*answer, "preference")) {
    const auto entity = safe(find_text(*answer, "entity").value_or(""));
    out += fmt::format(
        "the next ones like it leave by themselves, as {} says\n"
        "what it covers: vigilctl memory show {}\n"
        "take it back: vigilctl memory forget {} {}\n",
        safe(*key), entity, entity, safe(*key));
  }
  if (const auto proposed = find_integer(*answer, "proposed")) {
    out += fmt::format(
        "you approved the last ones like it, too: shall they leave by themselves? "
        "vigilctl actions show {}\n",
        *proposed);
  }
  print(out);
  return exit_ok;
}

}  // namespace vigil::ctl
