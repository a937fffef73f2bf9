#pragma once
// What the tasks of swarms did, on its way to the disk: in the order it happened, some hundreds in
// a change. A start whose end comes before it is written is left out. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/task_group.hpp"
#include "storage/writer.hpp"
#include "swarm/engine.hpp"

namespace vigil::runtime {

class SwarmNotes final : public swarm::Checkpoints {
 public:
  // The references must outlive it.
  SwarmNotes(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer);

  // Where recall() looks; without it nothing is taken again.
  void read_from(storage::Stores& reader) { reader_ = &reader; }
  // How much of results that later tasks may take is kept. 0: nothing.
  void keep_results(std::size_t bytes_max) {
    kept_.bytes_max = static_cast<std::int64_t>(bytes_max);
  }

  boost::asio::awaitable<void> started(SwarmId swarm, std::string task, int attempt,
                                       std::int64_t fence) override;
  // Returns once it is on the disk. Throws operation_aborted when we stop and the disk takes
  // nothing: without its checkpoint it never was.
  boost::asio::awaitable<void> ended(SwarmId swarm, swarm::TaskOutcome outcome,
                                     std::int64_t fence) override;
  void planned(SwarmId swarm, std::string task, json::object foreseen) override;
  void flush() override;
  std::optional<std::pair<json::value, Duration>> recall(const std::string& cache_key) override;

  void stop();  // what the disk refuses from now on is lost
  boost::asio::awaitable<void> join();

 private:
  struct Note {
    storage::SwarmTask task;
    std::string cache_key;       // its result may be taken again
    std::shared_ptr<Bell> done;  // rung once it is written; null: nobody waits for it
    json::value foreseen;        // of the plan it wrote; null: a start or an end
  };
  using Notes = std::shared_ptr<const std::vector<Note>>;
  struct KeptResults {
    std::int64_t bytes_max = 0;
    // Of the writer's changes: bytes since the oldest were last looked for.
    std::shared_ptr<std::int64_t> fresh = std::make_shared<std::int64_t>(0);
  };
  void note(Note note);
  bool is_due() const;
  boost::asio::awaitable<void> gather();
  boost::asio::awaitable<void> write_all();
  boost::asio::awaitable<bool> write(Notes notes);
  boost::asio::awaitable<bool> write_apart(Notes notes, std::string error);
  static std::vector<bool> find_starts_in_vain(const std::vector<Note>& notes);
  static void write_here(storage::Stores& stores, const std::vector<Note>& notes,
                         const KeptResults& kept, TimePoint now);
  boost::asio::awaitable<void> pause();

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  storage::Writer& writer_;
  storage::Stores* reader_ = nullptr;
  KeptResults kept_;
  std::deque<Note> notes_;
  std::ptrdiff_t ends_ = 0;  // among them
  bool writing_ = false;
  bool flushing_ = false;
  bool stopping_ = false;
  bool lost_ = false;  // we stop and the disk takes nothing: nothing more is written
  Bell due_;           // there may be enough to write
  Bell stops_;
  TaskGroup writes_;
};

}  // namespace vigil::runtime
