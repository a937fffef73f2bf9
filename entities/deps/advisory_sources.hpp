#pragma once
// Where advisories come from: files of JSON lines, single files, directories of both. The index
// over them is kept in a file and made again when a source is newer, larger, gone or added.
// Blocking.
#include <filesystem>

#include "entities/deps/advisory_index.hpp"

namespace vigil::entities::deps {

// By names, sizes and times of change: what make would look at, without reading a source.
Result<Sha256> digest_of_sources(const std::filesystem::path& where);

// Reads everything below `where`: *.json, *.jsonl, *.ndjson, RUSTSEC-*.md. What cannot be read is a
// problem noted in the index, unless nothing at all can be read.
Result<std::string> build_index(const std::filesystem::path& where, const Sha256& digest);

enum class IndexFate { kept, made, made_but_not_kept };
struct OpenedIndex {
  AdvisoryIndex index;
  IndexFate fate = IndexFate::kept;
  std::string why;  // it could not be kept
};

// `where` may be an index itself. `keep` empty: the index lives in memory alone.
Result<OpenedIndex> open_advisories(const std::filesystem::path& where,
                                    const std::filesystem::path& keep);

// Wholly or not at all, whoever reads it meanwhile and whenever the power fails.
Result<void> replace_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace vigil::entities::deps
