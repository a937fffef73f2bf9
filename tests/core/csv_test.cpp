#include "core/csv.hpp"

#include <doctest/doctest.h>

using vigil::CsvReader;
using Row = std::vector<std::string>;

TEST_CASE("tables as programs write them") {
  CsvReader reader(
      "\xEF\xBB\xBF"
      "a,b,c\r\n\r\n1,\"x,\"\"y\"\"\n z\",\n\n\"\",,\"q\"\r\nlast");
  CHECK(*reader.next() == Row{"a", "b", "c"});
  CHECK(reader.line() == 1);
  CHECK(*reader.next() == Row{"1", "x,\"y\"\n z", ""});
  CHECK(reader.line() == 3);
  CHECK(*reader.next() == Row{"", "", "q"});
  CHECK(reader.line() == 6);
  CHECK(*reader.next() == Row{"last"});
  CHECK_FALSE(reader.next().has_value());
  CHECK_FALSE(reader.cut());
}

TEST_CASE("other separators, and tables that are not well made") {
  CsvReader semicolons("a;\"b\";c,d", ';');
  CHECK(*semicolons.next() == Row{"a", "b", "c,d"});
  CsvReader odd("\"a\"b,c\rd,\n\"open,\nx");
  CHECK(*odd.next() == Row{"ab", "c\rd", ""});
  CHECK(*odd.next() == Row{"open,\nx"});
  CHECK(odd.cut());
  CHECK_FALSE(odd.next().has_value());
  CsvReader nothing("");
  CHECK_FALSE(nothing.next().has_value());
  CsvReader comma(",");
  CHECK(*comma.next() == Row{"", ""});
}
