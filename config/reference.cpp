#include "config/forms.hpp"
#include "config/schema_entity.hpp"
#include "config/values.hpp"

namespace vigil::config {
namespace {

class Listing {
 public:
  Listing(std::string path, std::string kind, std::vector<Key>& to)
      : path_(std::move(path)), kind_(std::move(kind)), to_(to) {}

  template <class T>
  void value(const Spec& spec, T& of) {
    const auto written = write(spec, std::as_const(of));
    std::string text = written ? print_value(*written) : "none";
    if (spec.presence == Presence::required) text = "required";
    if (!spec.default_text.empty()) text = spec.default_text;
    add(spec, type_of(spec, std::as_const(of)), std::move(text));
  }
  template <class T>
  void table(const Spec& spec, T& of) {
    walk(path_to(spec), of);
  }
  template <class T>
  void table(const Spec& spec, Boxed<T>& of) {
    table(spec, of.edit());
  }
  template <class T>
  void table(const Spec& spec, std::optional<T>&) {
    add(spec, "table", "none");
    T scratch;
    walk(path_to(spec), scratch);
  }
  template <class T>
  void tables(const Spec& spec, std::vector<T>&) {
    add(spec, "list of tables", spec.least > 0 ? "required" : "none");
    T scratch;
    walk(path_to(spec) + "[]", scratch);
  }
  template <class T>
  void named(const Spec& spec, std::map<std::string, T>&) {
    T scratch;
    walk(path_to(spec) + ".NAME", scratch);
  }
  template <class... Kinds>
  std::string kinds(std::span<const std::string_view> words, std::variant<Kinds...>&) {
    add(Spec{.name = "kind", .meaning = "decides which of the keys below it belong here"},
        one_of(words), "required");
    std::size_t index = 0;
    const auto visit = [&]<class Kind>(std::type_identity<Kind>) {
      Kind scratch;
      Listing below(path_, std::string(words[index++]), to_);
      describe_kind(below, scratch);
    };
    (visit(std::type_identity<Kinds>{}), ...);
    return {};
  }

 private:
  template <class T>
  void walk(const std::string& path, T& of) {
    Listing below(path, kind_, to_);
    describe(below, of);
  }
  void add(const Spec& spec, std::string type, std::string default_text) {
    std::string meaning(spec.meaning);
    const bool restart = spec.takes == Takes::restart;
    if (restart) meaning += " (a change needs a restart)";
    to_.push_back({path_to(spec), kind_, std::move(type), std::move(default_text),
                   std::move(meaning), restart});
  }
  std::string path_to(const Spec& spec) const {
    return path_.empty() ? std::string(spec.name) : path_ + "." + std::string(spec.name);
  }

  std::string path_;
  std::string kind_;
  std::vector<Key>& to_;
};

}  // namespace

std::vector<Key> reference() {
  std::vector<Key> keys;
  Settings defaults;
  Listing listing("", "", keys);
  describe(listing, defaults);
  return keys;
}

}  // namespace vigil::config
