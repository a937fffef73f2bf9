# Everything foreign, found by its Debian package. scripts/packages.txt is the list of packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(lua REQUIRED IMPORTED_TARGET lua5.4)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)

find_path(CCTZ_INCLUDE cctz/time_zone.h REQUIRED)
find_library(CCTZ_LIBRARY cctz REQUIRED)
add_library(vigil_cctz INTERFACE)
target_include_directories(vigil_cctz SYSTEM INTERFACE ${CCTZ_INCLUDE})
target_link_libraries(vigil_cctz INTERFACE ${CCTZ_LIBRARY})
add_library(vigil_zstd INTERFACE)
target_link_libraries(vigil_zstd INTERFACE PkgConfig::zstd)

# Asio and Beast are compiled once here; every other file sees declarations only.
add_library(vigil_boost STATIC cmake/boost.cpp)
target_compile_definitions(vigil_boost PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_include_directories(vigil_boost SYSTEM PUBLIC ${Boost_INCLUDE_DIRS})
target_link_libraries(vigil_boost PUBLIC Boost::json Boost::url Threads::Threads)
