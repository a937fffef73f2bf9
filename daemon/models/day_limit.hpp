#pragma once
// What a model may take in a UTC day, over all entities: [model.NAME.budget]. A call sets aside
// what it may take at most while it goes on, and leaves what it really took. Loop thread only.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/minds.hpp"
#include "core/time.hpp"

namespace vigil::models {

// Is there room for something that may take `most`? What may take more than a whole day allows
// could never be done: it goes while anything is left. `limit` 0: none.
bool has_room(std::int64_t limit, std::int64_t used, std::int64_t most);

struct Taken {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::int64_t money_micros = 0;
  Taken& operator+=(const Taken& more);
  Taken& operator-=(const Taken& less);
};

// Where what models took is kept over restarts.
struct Books {
  std::function<Taken(const std::string& model, const std::string& day)> read;
  std::function<void(const std::string& model, const std::string& day, const Taken& more)> add;
};

class DayLimits {
 public:
  void keep(Books books) { books_ = std::move(books); }

  // One call. Its end, whichever way it comes, is when it is destroyed.
  class Booking {
   public:
    Booking(DayLimits& of, std::string model, std::string day, const Taken& most);
    Booking(const Booking&) = delete;
    Booking& operator=(const Booking&) = delete;
    ~Booking();
    Taken took;

   private:
    DayLimits& of_;
    std::string model_;
    std::string day_;
    Taken most_;
  };
  // Why nothing more may be asked of the model now: which limit, and until when. Empty: it may.
  std::string refusal(const config::Model& model, const Taken& most, TimePoint now);
  std::unique_ptr<Booking> book(const config::Model& model, const Taken& most, TimePoint now);
  // By calls that go on.
  std::map<std::string, Taken> reserved() const;

 private:
  struct Day {
    std::string name;  // 2026-11-23; empty: nobody was asked yet
    Taken taken;
    Taken reserved;
  };
  Day& day_of(const std::string& model, TimePoint now);

  Books books_;
  std::map<std::string, Day> days_;
};

}  // namespace vigil::models
