#pragma once
// A value on the heap that copies and compares as if it were not: for large members that most
// owners leave at their defaults, which then take a pointer. Not for sharing between threads while
// it is edited.
#include <memory>
#include <utility>

namespace vigil {

template <class T>
class Boxed {
 public:
  Boxed() = default;  // all defaults: nothing is allocated
  Boxed(T value) : at_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : at_(other.at_ ? std::make_unique<T>(*other.at_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(Boxed other) noexcept {
    at_ = std::move(other.at_);
    return *this;
  }
  ~Boxed() = default;

  const T& operator*() const {
    static const T defaults{};
    return at_ ? *at_ : defaults;
  }
  bool operator==(const Boxed& other) const { return **this == *other; }
  const T* operator->() const { return &**this; }
  T& edit() {
    if (!at_) at_ = std::make_unique<T>();
    return *at_;
  }

 private:
  std::unique_ptr<T> at_;
};

}  // namespace vigil
