#pragma once
// An index over advisories in one compact block of bytes: packages sorted by name, found by halves,
// without reading anything else. Made once, kept in a file that is mapped into memory, replaced in
// one step. A file that is cut, scrambled or of another version is refused, never trusted.
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.hpp"
#include "entities/deps/advisories.hpp"

namespace vigil::entities::deps {

constexpr std::uint32_t index_version = 2;

// What one advisory says of one version of one package. Texts live as long as the index.
struct Match {
  std::string_view id;
  std::string_view aliases;  // parted by spaces
  std::string_view summary;
  std::optional<Severity> severity;
};

class IndexBuilder {
 public:
  IndexBuilder();
  ~IndexBuilder();
  // Withdrawn advisories are counted and left out. A later one of the same id replaces nothing:
  // the first one holds, so that an order of sources is an order of trust.
  void add(const Advisory& advisory);
  // Something that could not be read; the first few are kept for people.
  void problem(std::string_view what);
  std::string finish(const Sha256& digest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class AdvisoryIndex {
 public:
  static Result<AdvisoryIndex> from_bytes(std::string bytes);
  static Result<AdvisoryIndex> open(const std::filesystem::path& path);
  AdvisoryIndex(AdvisoryIndex&& other) noexcept;
  AdvisoryIndex& operator=(AdvisoryIndex&& other) noexcept;
  ~AdvisoryIndex();

  // Sorted by id, each once. The name may be written in any way its ecosystem takes as the same.
  std::vector<Match> match(std::string_view ecosystem, std::string_view name,
                           std::string_view version) const;
  // Every version that ends an interval of this package as its fix, sorted, each once.
  std::vector<std::string> fixes(std::string_view ecosystem, std::string_view name) const;

  const Sha256& digest() const;  // of the sources it was made from
  std::size_t advisories() const;
  std::size_t packages() const;
  std::size_t withdrawn() const;
  std::size_t problems() const;
  std::string_view problem_text() const;  // the first few, a line each
  std::size_t bytes() const;

 private:
  struct State;
  explicit AdvisoryIndex(std::unique_ptr<State> state);
  static Result<AdvisoryIndex> checked(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vigil::entities::deps
