#!/usr/bin/env python3
"""Reads the tree: floors, foreign libraries in one place, banned forms, the await rule, sizes.

Usage: tree_test.py ROOT. Prints every breach as file:line: what, and ends with 1 if there is one.
Each rule is first tried on an example that breaks it: a rule that cannot fail would be no rule.
"""
import pathlib
import re
import sys

CODE_FOLDERS = ["core", "config", "storage", "swarm", "entities", "daemon", "ctl", "tasks", "bench"]

# Who may include whom (docs/design.md part 8). A folder may always include itself.
MAY_INCLUDE = {
    "core": [],
    "config": ["core"],
    "storage": ["core"],
    "swarm": ["core"],
    "entities": ["core", "config", "storage", "swarm"],
    "daemon/http": ["core"],
    "daemon/mail": ["core", "config", "daemon/http"],
    "daemon/models": ["core", "config", "swarm", "daemon/http"],
    "daemon/mcp": ["core", "config", "swarm", "daemon/http", "daemon/models"],
    "daemon/ingress": ["core", "config", "storage", "swarm", "entities", "daemon/http", "daemon/mail"],
    "daemon/delivery": ["core", "config", "storage", "swarm", "entities", "daemon/http", "daemon/mail"],
    "daemon/runtime": ["core", "config", "storage", "swarm", "entities", "daemon/models"],
    "daemon/admin": ["core", "config", "storage", "swarm", "entities", "daemon/http", "daemon/ingress",
                     "daemon/delivery", "daemon/runtime"],
    "daemon": ["core", "config", "storage", "swarm", "entities", "daemon/http", "daemon/ingress",
               "daemon/delivery",
               "daemon/models", "daemon/mcp", "daemon/runtime", "daemon/admin"],
    "ctl": ["core", "config", "storage", "swarm"],
    "tasks": ["core", "config", "storage", "swarm", "entities"],
    "bench": ["core", "config", "storage", "swarm", "entities", "daemon", "daemon/http", "daemon/ingress",
              "daemon/delivery", "daemon/models", "daemon/runtime", "daemon/admin"],
}

# A foreign library is spoken in one place: the pattern, and the files that may hold it.
SPOKEN_IN = [
    (r"#include [<\"]sqlite3\.h", r"storage/database\.cpp|bench/\w+\.cpp"),
    (r"#include <toml\+\+", r"config/\w+\.(cpp|hpp)|entities/deps/lockfile_toml\.cpp"),
    (r"#include <spdlog/", r"core/log\.cpp"),
    (r"#include <openssl/", r"core/(digest|certificate|rsa)\.cpp|daemon/mail/wire\.cpp"),
    (r"#include <curl/", r"daemon/http/(client|curl_loop)\.cpp|entities/ops/fetch\.cpp"),
    (r"#include <systemd/", r"daemon/service\.cpp"),
    (r"#include <zstd", r"storage/compress\.cpp"),
    (r"#include <gmime/", r"entities/comms/mime\.cpp"),
    (r"#include <libxml/", r"entities/(knowledge/html|comms/html_text)\.cpp"),
    (r"#include <libstemmer", r"storage/terms\.cpp"),
    (r"#include <libical/", r"entities/calendar/ical\.cpp"),
    (r"#include <pugixml", r"entities/(deps|ci|feeds|calendar)/\w+\.(cpp|hpp)"),
    (r"#include <iconv\.h", r"entities/feeds/charset\.cpp"),
    (r"#include <re2/", r"entities/[\w/]+\.cpp"),
    (r"lua\.(h|hpp)>", r"entities/rules/lua(_values)?\.cpp"),
    (r"#include <boost/(beast|asio/ssl)", r"daemon/ingress/websocket\.cpp|bench/trades_server\.cpp"),
    (r"\bposix_spawnp?\(", r"swarm/child\.cpp|entities/codebase/git\.cpp|bench/\w+\.cpp"),
    (r"#include <CLI/", r"daemon/main\.cpp|ctl/\w+\.(cpp|hpp)|bench/main\.cpp"),
]

# Headers are read by everybody: nothing heavy from Asio in them, but for the ones that say so.
LIGHT_ASIO = r"boost/asio/(awaitable|any_io_executor)\.hpp"
HEAVY_HEADERS = {"core/deadline.hpp", "core/off_loop.hpp", "core/on_pool.hpp"}

BANNED = [
    (r"asio::detached", "a coroutine without an owner swallows its exceptions: use TaskGroup"),
    (r"awaitable_operators", "op || timer loses errors: use with_deadline"),
    (r"catch \(\.\.\.\) ?\{ ?\}", "an exception is swallowed: say why, or let it through"),
    (r"\bstd::system\(|\bpopen\(|[^_\w]system\(", "no shell: argv is a list"),
    (r"#include <regex>", "std::regex recurses on its input: use RE2"),
    (r"\busing namespace std;", "names of std stay in std"),
    (r"sleep_for\(std::chrono|usleep\(|this_thread::sleep", "waiting by the clock: use a Clock"),
]
SLEEP_ALLOWED = re.compile(r"bench/|ctl/|app/\w+_test\.cpp|clock_sleep")

LINES_PER_FILE, LINES_PER_FUNCTION, COLUMNS = 400, 60, 100


def floor_of(path):
    parts = path.split("/")
    if parts[0] == "daemon" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def check_includes(path, lines):
    mine = floor_of(path)
    for number, line in enumerate(lines, 1):
        found = re.match(r'#include "([^"]+)"', line)
        if not found:
            continue
        theirs = floor_of(found.group(1))
        if theirs != mine and theirs not in MAY_INCLUDE.get(mine, []):
            yield number, f"{mine} may not include {theirs}: an include goes up or sideways"


def check_foreign(path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, places in SPOKEN_IN:
            if re.search(pattern, line) and not re.fullmatch(places, path):
                yield number, f"a foreign library is spoken outside its place: {line.strip()}"
        if path.endswith(".hpp") and path not in HEAVY_HEADERS:
            if re.search(r"#include <boost/asio", line) and not re.search(LIGHT_ASIO, line):
                yield number, "a header includes more of Asio than awaitable and any_io_executor"


def code_of(line):
    """The line without its comment and with its strings emptied."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def check_banned(path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, why in BANNED:
            if not re.search(pattern, code_of(line)):
                continue
            if "Clock" in why and (SLEEP_ALLOWED.search(path) or "clock" in line):
                continue
            yield number, why


OPERAND = r"[\w:.\->\*\(\)]*?"
SIMPLE_ARGUMENT = r"(std::move\([\w.\->\*\[\]\(\)]+\)|[\w:.\->\*&<>]+(\(\))?|\"\"|-?\d[\d'.]*)"
AWAITED = re.compile(
    r"^(std::move\([\w.\->\*]+\)"
    r"|[\w:.\->\*]+(<[\w:<>, ]+>)?(\((" + SIMPLE_ARGUMENT + r"(, " + SIMPLE_ARGUMENT + r")*)?\))?)$")
BEFORE = re.compile(
    r"^(((while|if|for) \(.*\)|else) )?"
    r"(co_return |\(void\) |((const )?[\w:]+(<.*>)?[&\*]? )?[\w.\->\*\[\]]+ = |(const )?auto \[[\w, ]+\] = )?$")


def statements_with_await(lines):
    text = "\n".join(code_of(line) for line in lines)
    for found in re.finditer(r"\bco_await\b", text):
        start = max(text.rfind(mark, 0, found.start()) for mark in ";{}") + 1
        end = text.find(";", found.start())
        number = text.count("\n", 0, found.start()) + 1
        before = " ".join(text[start:found.start()].split()) + " "
        after = " ".join(text[found.end():end].split())
        yield number, before.lstrip(), re.sub(r"\( ", "(", after)


def check_await(_path, lines):
    """One await a statement, of something that is named first (docs/style.md part 5)."""
    for number, before, after in statements_with_await(lines):
        if not BEFORE.match(before):
            yield number, f"co_await inside a larger statement: {before.strip()}"
        elif not AWAITED.match(after):
            yield number, f"name the operation, then await it alone: co_await {after}"


def check_sizes(path, lines):
    if len(lines) > LINES_PER_FILE:
        yield len(lines), f"{len(lines)} lines: a file has up to {LINES_PER_FILE}"
    start = None
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and "http" not in line and 'R"' not in line:
            yield number, f"{len(line)} columns: a line has up to {COLUMNS}"
        head = code_of(line).rstrip()
        if head.endswith("{") and not line.startswith((" ", "}", "namespace", "struct", "class",
                                                       "enum", "extern", "union", "TEST_SUITE")):
            start = number
        elif start and line.startswith("}"):
            body = number - start + 1
            if body > LINES_PER_FUNCTION and "{" in code_of(lines[start - 1]) and \
                    "(" in "".join(lines[max(0, start - 6):start]) and "= {" not in head:
                if not re.search(r"(=|\]) ?\{$", lines[start - 1].rstrip()):
                    yield start, f"{body} lines: a function has up to {LINES_PER_FUNCTION}"
            start = None


def check_head(path, lines):
    if path.endswith(".hpp"):
        if not lines or lines[0] != "#pragma once":
            yield 1, "a header begins with #pragma once"
        elif len(lines) < 2 or not lines[1].startswith("// "):
            yield 2, "a header says its purpose first"


def check_places(_path, lines):
    for number, line in enumerate(lines, 1):
        if re.search(r"(?<![\w.])/" + r"(work|home/\w+|root/\w+)/", line):
            yield number, "a path of somebody's machine"


CODE_RULES = [check_includes, check_foreign, check_banned, check_await, check_sizes, check_head,
              check_places]

EXAMPLES = [
    (check_includes, "core/x.cpp", '#include "storage/writer.hpp"'),
    (check_includes, "storage/x.cpp", '#include "config/load.hpp"'),
    (check_includes, "daemon/runtime/x.cpp", '#include "daemon/admin/api.hpp"'),
    (check_foreign, "storage/wakes.cpp", "#include <sqlite3.h>"),
    (check_foreign, "core/x.hpp", "#include <boost/asio/io_context.hpp>"),
    (check_banned, "core/x.cpp", "asio::co_spawn(e, f(), asio::detached);"),
    (check_banned, "core/x.cpp", "  } catch (...) {}"),
    (check_banned, "tests/core/x_test.cpp", "std::this_thread::sleep_for(1s);"),
    (check_await, "core/x.cpp", "  if (co_await f()) return;"),
    (check_await, "core/x.cpp", "  co_await f(Thing{1});"),
    (check_await, "core/x.cpp", "  auto x = co_await f(g(y));"),
    (check_await, "core/x.cpp", "  auto x = a ? co_await f() : 1;"),
    (check_sizes, "core/x.cpp", "void f() {\n" + "  g();\n" * 60 + "}"),
    (check_sizes, "core/x.cpp", "// " + "x" * 100),
    (check_head, "core/x.hpp", "#pragma once\n#include <string>"),
    (check_places, "core/x.cpp", "// see /" + "work/main"),
]
FINE = [
    (check_await, "core/x.cpp", "  T v = co_await f(a, b.c, std::move(d));\n  co_await std::move(w);\n"
     "  co_return co_await g(x);\n  auto [e, n] = co_await s.wait(as_tuple);\n"
     "  Result<std::vector<T>> r = co_await std::move(w);\n  while (n > 0) co_await b.wait();"),
    (check_includes, "entities/x.cpp", '#include "swarm/plan.hpp"'),
    (check_sizes, "core/x.cpp", "void f() {\n" + "  g();\n" * 58 + "}"),
]


def try_rules():
    for rule, path, text in EXAMPLES:
        if not list(rule(path, text.split("\n"))):
            yield f"{rule.__name__} does not notice: {text[:60]}"
    for rule, path, text in FINE:
        for _, what in rule(path, text.split("\n")):
            yield f"{rule.__name__} refuses what is fine: {what}"


def check_links(root, path, lines):
    for number, line in enumerate(lines, 1):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", line):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (path.parent / target).exists():
                yield number, f"a link to nowhere: {target}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    breaches = list(try_rules())
    files = 0
    for folder in CODE_FOLDERS + ["tests"]:
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            files += 1
            path = file.relative_to(root).as_posix()
            lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
            rules = CODE_RULES
            if folder == "tests":
                rules = [check_banned, check_await, check_sizes, check_places]
            for rule in rules:
                breaches += [f"{path}:{number}: {what}" for number, what in rule(path, lines)]
    texts = [file for pattern in ("*.md", "docs/**/*.md", "scripts/*", "config/**/*.toml")
             for file in root.glob(pattern) if file.is_file()]
    for file in texts:
        lines = file.read_text(encoding="utf-8").split("\n")
        path = file.relative_to(root).as_posix()
        found = list(check_places(path, lines))
        if file.suffix == ".md":
            found += check_links(root, file, lines)
        breaches += [f"{path}:{number}: {what}" for number, what in found]
    print("\n".join(breaches) or f"{files} files keep the rules of the house")
    return 1 if breaches or files < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
