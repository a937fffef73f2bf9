#pragma once
// A resolver in the hands of a test: names under .inside are at 127.0.0.1, whatever DNS says.
// Included once in a program, it stands before the C library's getaddrinfo for all of it, libcurl
// and Asio as well.
#include <dlfcn.h>
#include <netdb.h>

#include <cstring>
#include <string_view>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** out) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool inside = node != nullptr && std::string_view(node).ends_with(".inside");
  return real(inside ? "127.0.0.1" : node, service, hints, out);
}
