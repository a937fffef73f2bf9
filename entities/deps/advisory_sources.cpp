#include "entities/deps/advisory_sources.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "entities/deps/rustsec.hpp"

namespace vigil::entities::deps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 256 * 1024 * 1024;  // of one JSON document
constexpr std::size_t line_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t sources_max = 2'000'000;

bool is_lines(const fs::path& path) {
  return path.extension() == ".jsonl" || path.extension() == ".ndjson";
}

// Advisories of RustSec are told by their names: other Markdown lies beside them.
bool is_rustsec(const fs::path& path) {
  return path.extension() == ".md" && path.filename().string().starts_with("RUSTSEC-");
}

bool is_source(const fs::path& path) {
  return is_lines(path) || path.extension() == ".json" || is_rustsec(path);
}

Error nothing_there(const fs::path& where) {
  return {ErrorCode::not_found,
          fmt::format("{}: no advisories there; give a file or a folder of OSV files "
                      "(*.json, *.jsonl) or of RustSec (RUSTSEC-*.md)",
                      where.string())};
}

// Sorted, so that the digest and the order of trust do not depend on the disk.
Result<std::vector<fs::path>> sources_in(const fs::path& where) {
  std::error_code error;
  if (fs::is_regular_file(where, error)) return std::vector{where};
  std::vector<fs::path> sources;
  fs::recursive_directory_iterator files(where, fs::directory_options::skip_permission_denied,
                                         error);
  if (error) return std::unexpected(nothing_there(where));
  for (; files != fs::recursive_directory_iterator(); files.increment(error)) {
    if (error || sources.size() >= sources_max) break;
    if (is_source(files->path()) && files->is_regular_file(error)) sources.push_back(files->path());
  }
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("{}: cannot be listed: {}", where.string(), error.message()));
  }
  if (sources.empty()) return std::unexpected(nothing_there(where));
  std::ranges::sort(sources);
  return sources;
}

void read_text(std::string_view text, std::string_view place, IndexBuilder& builder) {
  const auto value = parse_json(text);
  const auto read = !value ? Result<void>(std::unexpected(value.error()))
                           : read_advisories(*value, [&](Advisory one) { builder.add(one); });
  if (!read) builder.problem(fmt::format("{}: {}", place, read.error().message));
}

void read_lines(std::ifstream& file, const fs::path& path, IndexBuilder& builder) {
  std::string line;
  std::size_t number = 0;
  // A line without end is skipped to its end in pieces, never held as a whole.
  const auto next = [&] {
    line.clear();
    bool too_long = false;
    std::string piece(64 * 1024, '\0');
    while (file.getline(piece.data(), static_cast<std::streamsize>(piece.size())) ||
           file.gcount() > 0) {
      const bool cut = file.fail() && !file.eof();
      too_long = too_long || line.size() > line_bytes_max;
      if (!too_long) line += piece.c_str();
      if (!cut) break;
      file.clear();
    }
    if (too_long) {
      builder.problem(fmt::format("{}:{}: a line too long", path.string(), number + 1));
      line.clear();
      return true;
    }
    return !line.empty() || !file.eof();
  };
  while (file && next()) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    read_text(line, fmt::format("{}:{}", path.string(), number), builder);
  }
}

void read_source(const fs::path& path, IndexBuilder& builder) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    builder.problem(fmt::format("{}: cannot be opened", path.string()));
    return;
  }
  if (is_lines(path)) {
    read_lines(file, path, builder);
    return;
  }
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size > file_bytes_max) {
    builder.problem(fmt::format("{}: larger than {} MiB", path.string(), file_bytes_max >> 20));
    return;
  }
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!is_rustsec(path)) {
    read_text(text, path.string(), builder);
    return;
  }
  const auto one = is_valid_utf8(text)
                       ? read_rustsec(text)
                       : Result<Advisory>(fail(ErrorCode::invalid_input, "not UTF-8"));
  if (one) {
    builder.add(*one);
  } else {
    builder.problem(fmt::format("{}: {}", path.string(), one.error().message));
  }
}

Result<void> failed(const fs::path& path, std::string_view what) {
  return fail(ErrorCode::unavailable,
              fmt::format("{}: cannot be {}: {}", path.string(), what, std::strerror(errno)));
}

}  // namespace

Result<Sha256> digest_of_sources(const fs::path& where) {
  const auto sources = sources_in(where);
  if (!sources) return std::unexpected(sources.error());
  std::string all = fmt::format("{}\n", index_version);
  for (const auto& path : *sources) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::unexpected(nothing_there(path));
    fmt::format_to(std::back_inserter(all), "{}\n{} {}.{:09} {}.{:09}\n", path.string(),
                   found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ctim.tv_sec,
                   found.st_ctim.tv_nsec);
  }
  return sha256(all);
}

Result<std::string> build_index(const fs::path& where, const Sha256& digest) {
  const auto sources = sources_in(where);
  if (!sources) return std::unexpected(sources.error());
  IndexBuilder builder;
  for (const auto& path : *sources) read_source(path, builder);
  auto bytes = builder.finish(digest);
  return bytes;
}

Result<void> replace_file(const fs::path& path, std::string_view bytes) {
  auto name = path.string() + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return failed(path, "written beside it");
  Result<void> done;
  while (done && !bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      done = failed(path, "written");
    } else {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  if (done && (::fchmod(fd, 0644) != 0 || ::fsync(fd) != 0)) done = failed(path, "written");
  ::close(fd);
  if (done && ::rename(name.c_str(), path.c_str()) != 0) done = failed(path, "replaced");
  if (!done) ::unlink(name.c_str());
  return done;
}

Result<OpenedIndex> open_advisories(const fs::path& where, const fs::path& keep) {
  std::error_code error;
  if (fs::is_regular_file(where, error) && !is_source(where)) {
    auto index = AdvisoryIndex::open(where);
    if (!index) return std::unexpected(index.error());
    return OpenedIndex{std::move(*index), IndexFate::kept, {}};
  }
  const auto digest = digest_of_sources(where);
  if (!digest) return std::unexpected(digest.error());
  if (!keep.empty()) {
    auto kept = AdvisoryIndex::open(keep);
    if (kept && kept->digest() == *digest) {
      return OpenedIndex{std::move(*kept), IndexFate::kept, {}};
    }
  }
  auto bytes = build_index(where, *digest);
  if (!bytes) return std::unexpected(bytes.error());
  const auto written = keep.empty() ? Result<void>() : replace_file(keep, *bytes);
  auto index = AdvisoryIndex::from_bytes(std::move(*bytes));
  if (!index) return std::unexpected(index.error());
  if (index->advisories() == 0 && index->problems() > 0) {
    return fail(ErrorCode::invalid_input,
                fmt::format("no advisory could be read:\n{}", index->problem_text()));
  }
  const bool is_kept = written && !keep.empty();
  return OpenedIndex{std::move(*index), is_kept ? IndexFate::made : IndexFate::made_but_not_kept,
                     written ? "" : written.error().message};
}

}  // namespace vigil::entities::deps
