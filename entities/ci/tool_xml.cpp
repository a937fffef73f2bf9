// XML of linters: cppcheck, checkstyle (and all who write its form), PMD, SpotBugs, Android lint.
#include <array>
#include <pugixml.hpp>

#include "entities/ci/report_parts.hpp"
#include "entities/ci/tool_documents.hpp"

namespace vigil::entities::ci {
namespace {

using pugi::xml_node;

constexpr int urgent_priority = 2;  // of PMD's five; SpotBugs has one of three

std::string value(const xml_node& node, const char* key) { return node.attribute(key).value(); }

int line_from(const xml_node& node, const char* key) {
  return std::max(node.attribute(key).as_int(), 0);
}

Issue begun(std::string_view tool, const xml_node& error, const xml_node& place) {
  Issue issue;
  issue.tool = tool;
  issue.level = level_from(value(error, "severity")).value_or(Level::warning);
  issue.line = line_from(place, "line");
  issue.column = line_from(place, "column");
  return issue;
}

void read_cppcheck(const xml_node& root, std::vector<Issue>& into) {
  for (const auto& error : root.child("errors").children("error")) {
    if (into.size() > issues_max) return;
    const auto place = error.child("location");
    auto issue = begun("cppcheck", error, place);
    issue.rule = value(error, "id");
    issue.message = value(error, "msg");
    issue.path = value(place, "file");
    into.push_back(std::move(issue));
  }
}

void read_checkstyle(const xml_node& root, std::vector<Issue>& into) {
  for (const auto& file : root.children("file")) {
    for (const auto& error : file.children("error")) {
      if (into.size() > issues_max) return;
      auto issue = begun("checkstyle", error, error);
      issue.rule = value(error, "source");
      issue.message = value(error, "message");
      issue.path = value(file, "name");
      into.push_back(std::move(issue));
    }
  }
}

void read_pmd(const xml_node& root, std::vector<Issue>& into) {
  for (const auto& file : root.children("file")) {
    for (const auto& error : file.children("violation")) {
      if (into.size() > issues_max) return;
      auto issue = begun("pmd", error, error);
      issue.rule = value(error, "rule");
      issue.message = trimmed(error.child_value());
      issue.path = value(file, "name");
      issue.line = line_from(error, "beginline");
      issue.column = line_from(error, "begincolumn");
      issue.url = value(error, "externalInfoUrl");
      const bool is_urgent =
          error.attribute("priority").as_int(urgent_priority + 1) <= urgent_priority;
      issue.level = is_urgent ? Level::error : Level::warning;
      into.push_back(std::move(issue));
    }
  }
}

void read_spotbugs(const xml_node& root, std::vector<Issue>& into) {
  for (const auto& error : root.children("BugInstance")) {
    if (into.size() > issues_max) return;
    // Of a class, a method and a line, the line of the fault itself stands by itself.
    auto place = error.child("SourceLine");
    if (!place) place = error.child("Method").child("SourceLine");
    if (!place) place = error.child("Class").child("SourceLine");
    auto issue = begun("spotbugs", error, place);
    issue.rule = value(error, "type");
    issue.message = trimmed(error.child_value("LongMessage"));
    if (issue.message.empty()) issue.message = issue.rule;
    issue.path = value(place, "sourcepath");
    issue.line = line_from(place, "start");
    issue.level = value(error, "priority") == "1" ? Level::error : Level::warning;
    into.push_back(std::move(issue));
  }
}

void read_android(const xml_node& root, std::vector<Issue>& into) {
  for (const auto& error : root.children("issue")) {
    if (into.size() > issues_max) return;
    const auto place = error.child("location");
    auto issue = begun("android lint", error, place);
    issue.rule = value(error, "id");
    issue.message = value(error, "message");
    issue.path = value(place, "file");
    into.push_back(std::move(issue));
  }
}

struct XmlShape {
  std::string_view root;
  void (*read)(const xml_node& root, std::vector<Issue>& into);
};
constexpr std::array shapes{
    XmlShape{"results", read_cppcheck}, XmlShape{"checkstyle", read_checkstyle},
    XmlShape{"pmd", read_pmd},          XmlShape{"BugCollection", read_spotbugs},
    XmlShape{"issues", read_android},
};

}  // namespace

std::optional<std::vector<Issue>> issues_of_xml(std::string_view text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return std::nullopt;
  const auto root = document.document_element();
  for (const auto& shape : shapes) {
    if (shape.root != root.name()) continue;
    std::vector<Issue> issues;
    shape.read(root, issues);
    return issues;
  }
  return std::nullopt;
}

}  // namespace vigil::entities::ci
