// A swarm that is shown: as text, or drawn into a file.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

// Beside the file first, so that a full disk does not cost an older picture.
Result<void> write_file(const std::string& path, std::string_view text) {
  const auto refused = [&](int error) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} cannot be written: {}", safe(path), std::strerror(error)));
  };
  const auto fresh = path + ".new";
  std::FILE* file = std::fopen(fresh.c_str(), "wbe");
  if (file == nullptr) return refused(errno);
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) != 0 || !whole) {
    (void)std::remove(fresh.c_str());  // what matters is told below
    return refused(error != 0 ? error : EIO);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    const int rename_error = errno;
    (void)std::remove(fresh.c_str());
    return refused(rename_error);
  }
  return {};
}

}  // namespace

int show_swarm(const Session& session, const ShowSwarmArgs& args) {
  Target target(path_of("/v1/swarms/", args.id));
  target.with("results", args.results ? "yes" : "");
  const auto answer = session.fetch("GET", target.text());
  if (!answer) return answer.error();
  if (args.html.empty()) {
    const auto fold = args.all ? Fold::nothing : Fold::long_lists;
    auto page = session.output == Output::json ? session.json_text(*answer)
                                               : swarm_chart_page(*answer, session.style, fold);
    if (args.results && session.output == Output::page) {
      page += "\n" + results_page(*answer, session.style, fold);
    }
    print(page);
    return exit_ok;
  }
  const auto page = picture_html(*answer, session.style.now);
  // A device or a pipe is written as it is: nothing can be put beside it.
  if (args.html == "-" || args.html == "/dev/stdout") {
    print(page);
    return exit_ok;
  }
  if (const auto written = write_file(args.html, page); !written) {
    print_error("vigilctl: " + written.error().message + "\n");
    return exit_failed;
  }
  print(session.output == Output::json
            ? to_text(json::value{{"file", args.html}, {"bytes", page.size()}}) + "\n"
            : fmt::format("{}: {}, open it in a browser\n", safe(args.html),
                          bytes_text(static_cast<std::int64_t>(page.size()))));
  return exit_ok;
}

}  // namespace vigil::ctl
