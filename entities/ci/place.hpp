#pragma once
// Paths as tools spell them: URIs, backslashes, ./ and ../. Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::entities::ci {

// file:///C:/x%20y becomes C:/x y; what is no URI stays as it is. Never touches a disk.
std::string path_of_uri(std::string_view uri);

// With slashes, without . and what .. takes back: "a\\.\\b\\..\\c" becomes "a/c".
std::string tidy_path(std::string_view path);
bool is_absolute(std::string_view path);  // of any system: /x, C:/x, //host/x

std::string join_paths(std::string_view folder, std::string_view path);

}  // namespace vigil::entities::ci
