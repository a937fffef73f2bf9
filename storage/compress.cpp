#include "storage/compress.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>
#include <stdexcept>

namespace vigil::storage {
namespace {

constexpr char as_is = 0;
constexpr char zstd = 1;
constexpr int level = 1;
constexpr std::size_t worth_trying = 128;
constexpr std::size_t unpacked_max = std::size_t{256} << 20;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::string plain(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 1);
  out += as_is;
  out += bytes;
  return out;
}

}  // namespace

std::string pack(std::string_view bytes) {
  if (bytes.size() < worth_trying) return plain(bytes);
  // Tables of a context are made once a thread.
  static thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  std::string out;
  const auto room = ZSTD_compressBound(bytes.size());
  out.resize_and_overwrite(room + 1, [&](char* data, std::size_t) -> std::size_t {
    data[0] = zstd;
    const auto size =
        ZSTD_compressCCtx(context.get(), data + 1, room, bytes.data(), bytes.size(), level);
    return ZSTD_isError(size) != 0U ? 0 : size + 1;
  });
  if (out.empty() || out.size() > bytes.size() - bytes.size() / 16) return plain(bytes);
  return out;
}

std::string unpack(std::string_view packed) {
  if (packed.empty()) return {};
  const auto body = packed.substr(1);
  if (packed[0] == as_is) return std::string(body);
  const auto size = ZSTD_getFrameContentSize(body.data(), body.size());
  if (packed[0] != zstd || size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > unpacked_max) {
    throw std::runtime_error("a stored payload is damaged: it has no known packing");
  }
  static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  std::string out;
  out.resize(size);
  const auto got =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), body.data(), body.size());
  if (ZSTD_isError(got) != 0U || got != size) {
    throw std::runtime_error(
        fmt::format("a stored payload is damaged: {}", ZSTD_getErrorName(got)));
  }
  return out;
}

}  // namespace vigil::storage
