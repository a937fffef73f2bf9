#include <doctest/doctest.h>

#include "entities/ci/fingerprint.hpp"
#include "entities/ci/place.hpp"

using namespace vigil::entities::ci;

TEST_CASE("what differs each time is taken out of a text, and nothing else") {
  CHECK(without_incidents("Timeout after 31ms at /tmp/x7/a.c:12") == "Timeout after # at a.c:#");
  CHECK(without_incidents("at 0x7ffe12ab in Object@1b6d3586") == "at # in Object@#");
  CHECK(
      without_incidents("2026-11-23T10:15:00.250Z id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 gone") ==
      "# id # gone");
  CHECK(without_incidents("connect 10.0.3.7:8080 refused") == "connect # refused");
  CHECK(without_incidents("C:\\Users\\me\\src\\a.cs and /mnt/ci/src/a.cs") == "a.cs and a.cs");
  CHECK(without_incidents("commit 4f5e6d7c8b9a0f1e2d3c bad") == "commit # bad");
  CHECK(without_incidents("expected true, got false") == "expected true, got false");
  CHECK(without_incidents("a deadbeef facade") == "a deadbeef facade");
  for (const auto* text : {"Timeout after 31ms at /tmp/x7/a.c:12", "1.5.1 of 3,000 in 4 s"}) {
    CHECK(without_incidents(without_incidents(text)) == without_incidents(text));
  }
}

TEST_CASE("one failure has one fingerprint, on whatever machine and at whatever time") {
  const auto first = failure_fingerprint("java.lang.AssertionError: expected:<1> but was:<2>",
                                         "java.lang.AssertionError: expected:<1> but was:<2>\n\tat "
                                         "org.junit.Assert.fail(Assert.java:88)\n"
                                         "\tat org.x.ATest.works(ATest.java:12)\n");
  const auto moved = failure_fingerprint("java.lang.AssertionError: expected:<1> but was:<7>",
                                         "java.lang.AssertionError: expected:<1> but was:<7>\n\tat "
                                         "org.junit.Assert.fail(Assert.java:88)\n"
                                         "\tat org.x.ATest.works(ATest.java:19)\n");
  CHECK(first == moved);
  CHECK(first.size() == 12);
  const auto elsewhere = failure_fingerprint("java.lang.AssertionError: expected:<1> but was:<2>",
                                             "java.lang.AssertionError: expected:<1> but "
                                             "was:<2>\n\tat org.junit.Assert.fail(Assert.java:88)\n"
                                             "\tat org.x.ATest.breaks(ATest.java:12)\n");
  CHECK(first != elsewhere);
  CHECK(first != failure_fingerprint("java.lang.NullPointerException", ""));
  CHECK(failure_fingerprint("KeyError: 'a'", "  File \"/mnt/u1/p/t.py\", line 3, in f\n") ==
        failure_fingerprint("KeyError: 'a'", "  File \"/srv/ci/9/p/t.py\", line 8, in f\n"));
  CHECK(failure_fingerprint("", "") == failure_fingerprint("", "\n\n"));
  CHECK(failure_fingerprint(std::string(100'000, 'a'), std::string(100'000, '\xff')).size() == 12);
}

TEST_CASE("a failure that says nothing is its test's own") {
  TestCase one;
  one.suite = "S";
  one.name = "a";
  one.message = "failed";
  auto other = one;
  other.name = "b";
  CHECK(failure_fingerprint(one) != failure_fingerprint(other));
  one.message = other.message = "the database is gone";
  CHECK(failure_fingerprint(one) == failure_fingerprint(other));
}

TEST_CASE("paths lose what only one machine knows") {
  CHECK(tidy_path("a\\.\\b\\..\\c") == "a/c");
  CHECK(tidy_path("/a/../../b") == "/b");
  CHECK(tidy_path("../../a") == "../../a");
  CHECK(tidy_path("C:\\x\\..\\y.c") == "C:/y.c");
  CHECK(tidy_path("") == "");
  CHECK(join_paths("/r/build", "../src/a.c") == "/r/src/a.c");
  CHECK(join_paths("/r/build", "C:\\a.c") == "C:/a.c");
  CHECK(path_of_uri("file:///C:/x%20y") == "C:/x y");
  CHECK(path_of_uri("file://localhost/x") == "/x");
  CHECK(path_of_uri("file:/x") == "/x");
  CHECK(path_of_uri("C:/x") == "C:/x");
  CHECK(path_of_uri("https://x/y") == "https://x/y");
  CHECK(path_of_uri("100%") == "100%");
}
