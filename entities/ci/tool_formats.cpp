// The table of formats: order matters, the first that fits a line reads it. From the special to the
// general.
#include "entities/ci/tool_output.hpp"

// Pieces of patterns. A path may hold blanks where something after it tells where it ends.
#define VIGIL_PATH R"(((?:[A-Za-z]:)?[^\s:*?"<>|()'`\[\]][^:*?"<>|()]*?\.\w{1,10}))"
#define VIGIL_WORD R"((fatal error|error|warning|info|remark|message|note|style|suggestion|hint))"
#define VIGIL_CLOCK R"((?:\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s+)?)"
// Without a word such as "error" only names of sources count: logs are full of name:12: text.
#define VIGIL_SOURCE                                                                             \
  R"(((?:[A-Za-z]:[\\/])?[\w.@+~/\\-]*[\w+-]\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx|inl|ipp|m|mm|go|rs|)" \
  R"(pyi?|[cm]?jsx?|[cm]?tsx?|vue|svelte|java|kts?|scala|groovy|gradle|rb|erb|rake|php|swift|)"  \
  R"(dart|cs|vb|fs|sh|bash|zsh|pl|pm|lua|sql|tf|ya?ml|jsonc?|toml|xml|html|s?css|less|md|rst|)"  \
  R"(proto|cmake|mk|bzl|l|y|S|asm|f|f90|f95|adb|ads|hs|ml|exs?|erl|zig|nim|sv|vhd|ipynb)))"

namespace vigil::entities::ci {
namespace {

using After = LineFormat::After;

constexpr LineFormat table[] = {
    {"annotation", "::", "splcm", Level::error, After::nothing,
     R"(::(error|warning|notice)(?:\s[^:]*?file=([^,:]+))?(?:[^:]*?\bline=(\d{1,8}))?)"
     R"((?:[^:]*?\bcol(?:umn)?=(\d{1,8}))?[^:]*::(.+))"},
    {"azure", "##[", "sm", Level::error, After::nothing, R"(##\[(error|warning)\](.+))"},
    {"cmake", "CMake ", "spl", Level::warning, After::message,
     R"((?:\[[\w .-]+\]\s+)?CMake ((?:Internal )?Error|Deprecation|Warning)(?: Warning| Error)?)"
     R"((?: \(dev\))?(?: (?:at|in) ([^:]+?)(?::(\d{1,8}))?(?: \(\w+\)| \w+)?)?:\s*)"},
    {"kotlin", ": ", "splcm", Level::error, After::nothing,
     R"(([ewi]): (?:file://)?((?:[A-Za-z]:)?[^:]+\.kts?):\s?\(?(\d{1,8})(?:, |:)(\d{1,8})\)?:? (.+))"},
    {"javac", ":[", "splcm", Level::warning, After::nothing,
     VIGIL_CLOCK R"(\[(ERROR|WARNING)\]\s+)" VIGIL_PATH R"(:\[(\d{1,8})(?:,(\d{1,8}))?\]\s*(.+))"},
    {"scalac", "] ", "splcm", Level::warning, After::nothing,
     R"((?i)\[(error|warn|warning)\]\s+)" VIGIL_PATH R"(:(\d{1,8}):(?:(\d{1,8}):)?\s*(.+))"},
    {"linker", ".obj", "psrm", Level::error, After::nothing,
     R"(\s*(?:\d+>)?(\S+) ?: (fatal error|error|warning) (LNK\d+) ?: (.+))"},
    {"msbuild", "error", "srm", Level::error, After::nothing,
     R"(\s*(?:\d+>)?(?:LINK|MSBUILD|CSC|LIB|CVTRES) ?: (fatal error|error) ([A-Z]+\d+) ?: (.+))"},
    {"msbuild", ")", "plccsrm", Level::warning, After::nothing,
     R"((?i)\s*(?:\d+>)?)" VIGIL_PATH R"(\s*\((\d{1,8})(?:,(\d{1,8}))?[\d,]*\)\s*:\s*)"
     R"((?:\(col\. (\d{1,8})\)\s*)?)" VIGIL_WORD
     R"(\b\s*(?:#?([A-Za-z]*\d+|[A-Z]{2,})\s*)?[:.]?\s*(.*))"},
    {"eslint", "line ", "plcsm", Level::warning, After::nothing,
     VIGIL_PATH R"(: line (\d{1,8}), col(?:umn)? (\d{1,8}), (Error|Warning|Info) - (.+))"},
    {"tsc", " - ", "plcsrm", Level::error, After::nothing,
     VIGIL_PATH R"(:(\d{1,8}):(\d{1,8}) - (error|warning|info) (TS\d+): (.+))"},
    {"ld", "ld", "sm", Level::error, After::nothing,
     R"((?:\S*/)?(?:[\w-]+-)?(?:ld|ld64|wasm-ld|rust-lld|lld-link|mold)(?:\.(?:lld|gold|bfd))?)"
     R"((?:-\d+)?(?:\.exe)?: (?:(fatal error|error|warning|note): )?)"
     R"((cannot find .+|cannot open .+|undefined .+|duplicate .+|.+ mismatches .+|)"
     R"(library not found .+|symbol.+ not found.*|unrecogni.+|creating .+|relocation .+))"},
    {"ld", "ld", "sm", Level::error, After::nothing,
     R"((?:\S*/)?(?:[\w-]+-)?(?:ld|wasm-ld|rust-lld|lld-link|mold)(?:\.(?:lld|gold|bfd))?)"
     R"((?:-\d+)?(?:\.exe)?: (fatal error|error|warning): (.+))"},
    {"ld", " of ", "plm", Level::error, After::nothing,
     R"((?:\S*ld: )?(\S[^:]*):(?:(\d{1,8}):)?(?:\(\.[\w.$]+\+0x[0-9a-f]+\):)? ?)"
     R"((multiple definition of .+))"},
    {"ld", "undefined reference", "plm", Level::error, After::nothing,
     R"((?:\S*ld: )?(\S[^:]*):(?:(\d{1,8}):)?(?:\(\.[\w.$]+\+0x[0-9a-f]+\):)? ?)"
     R"((undefined reference to .+))"},
    {"compiler", ":", "plcsm", Level::warning, After::nothing,
     R"((?i)\s*(?:\d+>)?((?:[A-Za-z]:[\\/])?[^\s\d][^"|*?]*?):-?(\d{1,8}):(?:(\d{1,8}):)?\s?\s?)" VIGIL_WORD
     R"((?:\s*:\s*|\s+)(.+))"},
    {"compiler", ": ", "sm", Level::error, After::nothing,
     R"((?:\S*/)?(?:clang(?:\+\+|-cl)?|gcc|g\+\+|cc1|cc1plus|c\+\+|cc|nvcc|rustc|javac|icc|icpc|)"
     R"(ifort|cl)(?:-[\d.]+)?(?:\.exe)?: (fatal error|error|warning): (.+))"},
    {"make", "***", "plm", Level::error, After::nothing,
     R"((?:([\w./-]+):(\d{1,8})|\S*make(?:\[\d+\])?): \*\*\* )"
     R"((No rule to make target .+|missing separator.*|.+  Stop\.))"},
    {"linter", ":", "plcrm", Level::warning, After::nothing,
     VIGIL_PATH
     R"(:(\d{1,8}):(?:(\d{1,8}):?)? \[?([A-Z]{1,12}\d{2,5})(?:\([\w-]+\))?(?:, [^\]]*)?\]?:? (.+))"},
    {"linter", "] ", "plcsm", Level::warning, After::nothing,
     VIGIL_SOURCE R"(:(\d{1,8}):(?:(\d{1,8}):)?\s?\[(error|warning|info)\] (.+))"},
    {"compiler", "\", line ", "plsrm", Level::warning, After::nothing,
     R"x((?i)"([^"]+)", line (\d{1,8})(?:\.\d+)?: (?:\(\w\) )?)x"
     R"x((error|warning|info|remark)?:?\s*(?:#?([\w-]+\d[\w-]*):)?\s*(\S.+))x"},
    {"ecj", "(at line ", "spl", Level::warning, After::message,
     R"(\s*\d+\. (WARNING|ERROR|INFO) in (.+?)\s+\(at line (\d{1,8})\))"},
    {"perl", " line ", "mpl", Level::error, After::nothing,
     R"((\S.*) at (\S+\.(?:pl|pm|t|PL)) line (\d{1,8})[.,].*)"},
    {"ansible-lint", ".y", "plrm", Level::warning, After::nothing,
     R"(([^\s:]+\.ya?ml):(\d{1,8}): ([a-z][\w-]*(?:\[[\w-]+\])?):? (.+))"},
    {"linter", ":", "plcm", Level::warning, After::nothing,
     R"((?:vet: )?)" VIGIL_SOURCE R"(:(\d{1,8}):(?:(\d{1,8}):)? {1,2}(\S.+))"},
    {"php", " on line ", "smpl", Level::error, After::nothing,
     R"((?:PHP )?(Parse error|Fatal error|Warning|Deprecated|Notice):\s+(.+) in (\S+) on line (\d+))"},
    {"kernel", "WARNING:", "plm", Level::warning, After::nothing,
     R"((?:\[\s*\d+\.\d+\] )?WARNING: CPU: \d+ PID: \d+ at (\S+):(\d{1,8}) (.+))"},
    {"kernel", "kernel BUG", "pl", Level::error, After::nothing,
     R"((?:\[\s*\d+\.\d+\] )?kernel BUG at (\S+):(\d{1,8})!)"},
    {"maven", "[", "sm", Level::error, After::nothing,
     VIGIL_CLOCK R"(\[(ERROR|WARNING)\]\s+(\S.+))"},
    {"gradle", "* What", "", Level::error, After::message, R"(\* What went wrong:)"},
    {"cargo", "error", "srm", Level::error, After::place, R"((error)(?:\[(E\d+)\])?: (.+))"},
    {"cargo", "warning", "srm", Level::warning, After::place, R"((warning)(?:\[(\w+)\])?: (.+))"},
};

}  // namespace

std::span<const LineFormat> line_formats() { return table; }

}  // namespace vigil::entities::ci
