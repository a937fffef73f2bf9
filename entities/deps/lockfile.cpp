#include "entities/deps/lockfile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "core/log.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::array formats{
    LockFormat{"npm", "npm", "package-lock.json, npm-shrinkwrap.json", read_npm},
    LockFormat{"yarn", "npm", "yarn.lock", read_yarn},
    LockFormat{"pnpm", "npm", "pnpm-lock.yaml", read_pnpm},
    LockFormat{"cargo", "crates.io", "Cargo.lock", read_cargo},
    LockFormat{"poetry", "PyPI", "poetry.lock", read_poetry},
    LockFormat{"uv", "PyPI", "uv.lock", read_uv},
    LockFormat{"pdm", "PyPI", "pdm.lock", read_pdm},
    LockFormat{"pipenv", "PyPI", "Pipfile.lock", read_pipenv},
    LockFormat{"pip", "PyPI", "requirements*.txt, *requirements.txt", read_requirements},
    LockFormat{"go", "Go", "go.mod", read_go_mod},
    LockFormat{"bundler", "RubyGems", "Gemfile.lock, gems.locked", read_bundler},
    LockFormat{"composer", "Packagist", "composer.lock", read_composer},
    LockFormat{"nuget", "NuGet", "packages.lock.json", read_nuget},
    LockFormat{"conan", "ConanCenter", "conan.lock", read_conan},
    LockFormat{"gradle", "Maven", "gradle.lockfile, buildscript-gradle.lockfile", read_gradle},
    LockFormat{"gradle-verification-metadata", "Maven", "verification-metadata.xml",
               read_gradle_verification},
    LockFormat{"maven", "Maven", "pom.xml", read_maven},
    LockFormat{"pub", "Pub", "pubspec.lock", read_pub},
    LockFormat{"mix", "Hex", "mix.lock", read_mix},
    LockFormat{"renv", "CRAN", "renv.lock", read_renv},
};

std::string names_of_formats() {
  std::string all;
  for (const auto& format : formats) {
    fmt::format_to(std::back_inserter(all), "{}{}", all.empty() ? "" : ", ", format.name);
  }
  return all;
}

std::string shown(std::string_view path) { return codebase::one_line(path, 200); }

std::optional<std::string> bytes_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return std::nullopt;
  // One byte more than is allowed is enough to see that it is too large.
  std::string text(std::min<std::uintmax_t>(size, lockfile_bytes_max + 1), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

int first_malformed_line(std::string_view text) {
  LineReader lines(text);
  std::string_view line;
  while (lines.next(line) && is_valid_utf8(line)) continue;
  return lines.number();
}

}  // namespace

std::string_view to_text(Purpose purpose) {
  switch (purpose) {
    case Purpose::normal:
      return "normal";
    case Purpose::optional:
      return "optional";
    case Purpose::dev:
      return "dev";
  }
  return "normal";
}

std::span<const LockFormat> lock_formats() { return formats; }

const LockFormat* find_lock_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &LockFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

const LockFormat* lock_format_of(std::string_view path) {
  const auto slash = path.find_last_of('/');
  const auto file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  for (const auto& format : formats) {
    auto names = format.files;
    while (!names.empty()) {
      const auto comma = names.find(", ");
      const auto name = names.substr(0, comma);
      names = comma == std::string_view::npos ? "" : names.substr(comma + 2);
      const auto star = name.find('*');
      if (star == std::string_view::npos
              ? file == name
              : file.size() >= name.size() - 1 && file.starts_with(name.substr(0, star)) &&
                    file.ends_with(name.substr(star + 1))) {
        return &format;
      }
    }
  }
  return nullptr;
}

Result<Lockfile> read_lockfile(std::string_view path, std::string_view text,
                               std::string_view format) {
  const auto* reader = format.empty() ? lock_format_of(path) : find_lock_format(format);
  if (reader == nullptr) {
    return fail(ErrorCode::invalid_input,
                format.empty()
                    ? fmt::format("{}: no lock file by its name; say which with format: {}",
                                  shown(path), names_of_formats())
                    : fmt::format("{}: no such format; known are {}", vigil::quoted(format),
                                  names_of_formats()));
  }
  if (text.size() > lockfile_bytes_max) {
    return fail(ErrorCode::too_large, fmt::format("{}: more than {} MiB, which no lock file has",
                                                  shown(path), lockfile_bytes_max >> 20));
  }
  if (!is_valid_utf8(text)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}:{}: not UTF-8", shown(path), first_malformed_line(text)));
  }
  auto file = reader->read(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
  if (!file) {
    return fail(file.error().code, fmt::format("{}:{}", shown(path), file.error().message));
  }
  file->format = reader->name;
  return file;
}

Result<Lockfile> read_lockfile_at(const std::filesystem::path& path, std::string_view format) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return fail(ErrorCode::not_found,
                fmt::format("{}: there is no such file", shown(path.string())));
  }
  const auto text = bytes_of(path);
  if (!text) {
    return fail(ErrorCode::not_found, fmt::format("{}: cannot be read", shown(path.string())));
  }
  return read_lockfile(path.string(), *text, format);
}

std::string normal_name(std::string_view ecosystem, std::string_view name) {
  if (ecosystem == "PyPI") {
    std::string out;
    for (const char c : name) {
      const bool separator = c == '-' || c == '_' || c == '.';
      if (separator && out.ends_with('-')) continue;
      out += separator ? '-' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return out;
  }
  std::string out(name);
  if (ecosystem == "NuGet" || ecosystem == "Packagist") {
    std::ranges::transform(out, out.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  return out;
}

}  // namespace vigil::entities::deps
