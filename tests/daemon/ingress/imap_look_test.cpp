// What is kept of a folder, and the dates of a server.
#include "daemon/ingress/imap_look.hpp"

#include <doctest/doctest.h>

namespace vigil::ingress {
namespace {

TEST_CASE("a server's dates") {
  CHECK(parse_internal_date("17-Jul-1996 02:44:25 -0700") == from_unix_us(837'596'665'000'000));
  CHECK(parse_internal_date(" 1-Jan-2024 00:00:00 +0000") == from_unix_us(1'704'067'200'000'000));
  for (const auto* bad :
       {"", "17-Jul-1996", "17-Foo-1996 02:44:25 -0700", "17-Jul-1996 02:44:25 x0700",
        "17-Jul-1996 02:44:25 -07x0", "99-Jul-1996 02:44:25 -0700", "17-Jul-1996 99:44:25 -0700"}) {
    INFO(bad);
    CHECK_FALSE(parse_internal_date(bad));
  }
}

TEST_CASE("what is kept of a folder is what was seen") {
  const FolderMark mark{.validity = 3857529045,
                        .next = 7,
                        .count = 5,
                        .mod_seq = 18'446'744'073'709'551'615u,
                        .low = 2,
                        .at = from_unix_us(1'700'000'000'000'000)};
  CHECK(mark_from(mark_text(mark)) == mark);
  CHECK_FALSE(mark_from("nonsense"));
}

}  // namespace
}  // namespace vigil::ingress
