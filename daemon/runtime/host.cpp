#include "daemon/runtime/host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>
#include <iterator>

#include "core/check.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "core/vital.hpp"
#include "entities/process/process_host.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr std::size_t batch_wakes_max = 32;

// How many wakes may be decided together when one of them may be what stops the daemon: the more
// often one was there, the smaller its company, until it stands alone.
std::size_t company_of(const Waiting& wake) {
  if (!wake.careful) return batch_wakes_max;
  if (wake.attempts == 0) return batch_wakes_max;
  return wake.attempts == 1 ? 4 : 1;
}

json::object news_of(const Considered& considered, const Committed& committed) {
  const auto& decided = *considered.decided;
  json::object out;
  out["id"] = committed.id.value;
  out["entity"] = decided.entity->name;
  out["case"] = considered.wake.case_key;
  out["because"] = decided.wake_kind;
  out["verdict"] = entities::to_text(decided.decision.verdict);
  out["rule"] = decided.decision.rule;
  out["why"] = decided.decision.why;
  out["swarms"] = committed.swarms.size();
  out["actions"] = committed.actions_approved + committed.actions_proposed;
  return out;
}

// What no guardian may hand in, whatever language it is written in.
void check_decision(Considered& considered) {
  if (!considered.decided || considered.ask_process) return;
  auto& decision = considered.decided->decision;
  if (decision.why.empty()) decision.why = "no reason was given";
  for (const auto& plan : decision.plans) {
    const auto valid = swarm::validate(plan);
    if (valid) continue;
    considered.error = fmt::format("its plan cannot run: {}", valid.error().message);
    considered.decided.reset();
    return;
  }
}

}  // namespace

struct Host::Outcome {
  std::optional<Committed> committed;
  std::optional<Failed> failed;
};

Host::Host(House& house, Asked asked)
    : house_(house), asked_(std::move(asked)), idle_(house.executor), group_(house.executor) {}
Host::~Host() = default;

void Host::start(int threads, std::size_t careful_wakes) {
  threads_ = threads;
  careful_ = careful_wakes;
  pool_ = std::make_unique<asio::thread_pool>(static_cast<std::size_t>(threads));
}

void Host::adopt() {
  for (auto host = processes_.begin(); host != processes_.end();) {
    const auto* is = house_.inhabitants->find(host->first);
    if (is != nullptr && is->is_process &&
        host->second->adopt(std::get<config::Process>(is->settings.of))) {
      ++host;
      continue;
    }
    group_.spawn("stop process", [old = host->second] { return old->stop(); });
    host = processes_.erase(host);
  }
}

std::vector<Waiting> Host::next_batch() {
  const auto ready = house_.mailboxes.ready();
  auto room =
      std::clamp<std::size_t>(ready / static_cast<std::size_t>(threads_ * 2), 1, batch_wakes_max);
  std::vector<Waiting> batch;
  while (batch.size() < room) {
    auto wake = house_.mailboxes.take();
    if (!wake) break;
    const auto* who = house_.inhabitants->find(wake->entity);
    VIGIL_CHECK(who != nullptr);  // wakes of entities that are not configured are held
    if (who->is_process) {
      // One question at a time: its other cases wait, nobody else does.
      house_.mailboxes.hold(wake->entity);
      ++deciding_;
      group_.spawn("decide by process", [this, one = std::move(*wake)] {
        return vital("decide by process", decide_by_process(one));
      });
      continue;
    }
    if (company_of(*wake) < batch.size() + 1) {
      house_.mailboxes.put_back(std::move(*wake), house_.clock.now());
      break;
    }
    room = std::min(room, company_of(*wake));
    batch.push_back(std::move(*wake));
  }
  return batch;
}

void Host::pump() {
  const auto batches_max = careful_ > 0 ? 1 : static_cast<std::size_t>(threads_) * 8;
  while (!stopping_ && pool_ && batches_ < batches_max) {
    auto batch = next_batch();
    if (batch.empty()) return;
    ++batches_;
    deciding_ += batch.size();
    group_.spawn("decide",
                 [this, batch = std::move(batch)] { return vital("decide", decide(batch)); });
  }
}

asio::awaitable<void> Host::begin_attempts(std::vector<Waiting> batch) {
  auto change = [batch](storage::Stores& stores) {
    for (const auto& wake : batch) stores.wakes.begin_attempt(wake.id);
  };
  while (true) {
    auto committing = house_.writer.commit(change);
    Result<void> begun = co_await std::move(committing);
    if (begun) co_return;
    co_await house_.clock.sleep_for(refused_pause);
  }
}

std::unique_ptr<storage::Stores> Host::borrow_reader() {
  {
    const std::lock_guard lock(readers_lock_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  auto opened = storage::Stores::open_reader(house_.places.state_dir);
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

asio::awaitable<std::vector<Considered>> Host::consider_all(std::vector<Waiting> batch) {
  auto work = [this, inhabitants = house_.inhabitants, now = house_.clock.now(), batch] {
    std::vector<Considered> out;
    std::unique_ptr<storage::Stores> reader;
    for (const auto& wake : batch) {
      try {  // the boundary of one decision (docs/style.md part 4)
        if (!reader) {
          reader = borrow_reader();
          reader->snapshot();
        }
        out.push_back(consider(*reader, inhabitants, wake, now));
        check_decision(out.back());
      } catch (const std::exception& error) {
        Considered failed;
        failed.waiting = wake;
        failed.error = error.what();
        out.push_back(std::move(failed));
      }
    }
    if (reader) {
      reader->release();
      const std::lock_guard lock(readers_lock_);
      readers_.push_back(std::move(reader));
    }
    return out;
  };
  auto working = on_pool(pool_->get_executor(), house_.executor, std::move(work));
  co_return co_await std::move(working);
}

asio::awaitable<void> Host::decide(std::vector<Waiting> batch) {
  const auto count = batch.size();
  std::vector<Waiting> careful;
  std::ranges::copy_if(batch, std::back_inserter(careful), &Waiting::careful);
  if (!careful.empty()) {
    auto beginning = begin_attempts(std::move(careful));
    co_await std::move(beginning);
  }
  auto considering = consider_all(std::move(batch));
  std::vector<Considered> considered = co_await std::move(considering);
  auto settling = settle(std::move(considered));
  co_await std::move(settling);
  --batches_;
  deciding_ -= count;
  if (deciding_ == 0) idle_.ring();
  pump();
}

std::shared_ptr<entities::ProcessHost> Host::process_of(const Inhabitant& who) {
  auto& host = processes_[who.settings.name];
  if (!host) {
    host = std::make_shared<entities::ProcessHost>(house_.executor, house_.clock,
                                                   std::get<config::Process>(who.settings.of));
  }
  return host;
}

asio::awaitable<void> Host::decide_by_process(Waiting waiting) {
  const auto entity = waiting.entity;
  std::vector<Waiting> batch;
  batch.push_back(std::move(waiting));
  auto considering = consider_all(std::move(batch));
  std::vector<Considered> considered = co_await std::move(considering);
  auto& one = considered.front();
  const auto* who = house_.inhabitants->find(entity);
  if (std::exchange(one.ask_process, false) && who != nullptr && who->is_process) {
    const auto host = process_of(*who);
    const auto begun = house_.clock.steady_now();
    auto asking = host->decide(one.wake, one.memory);
    Result<entities::Decision> answer = co_await std::move(asking);
    if (answer) {
      one.decided->decision = std::move(*answer);
      one.decided->took = house_.clock.steady_now() - begun;
      check_decision(one);
    } else {
      one.error = answer.error().message;
      one.decided.reset();
    }
  }
  auto settling = settle(std::move(considered));
  co_await std::move(settling);
  --deciding_;
  if (deciding_ == 0) idle_.ring();
  house_.mailboxes.resume(entity);
  pump();
}

asio::awaitable<Result<std::vector<Host::Outcome>>> Host::commit(
    std::shared_ptr<std::vector<Considered>> considered) {
  auto change = [considered, now = house_.clock.now()](storage::Stores& stores) {
    std::vector<Outcome> out;
    for (const auto& one : *considered) {
      auto& outcome = out.emplace_back();
      if (one.decided) {
        outcome.committed = commit_decision(stores, *one.decided);
      } else if (!one.gone && !one.absent) {
        outcome.failed =
            commit_failure(stores, {one.waiting.id, one.error, one.waiting.careful, now});
      }
    }
    return out;
  };
  auto committing = house_.writer.commit(std::move(change));
  co_return co_await std::move(committing);
}

asio::awaitable<void> Host::settle(std::vector<Considered> considered) {
  auto shared = std::make_shared<std::vector<Considered>>(std::move(considered));
  while (true) {
    auto committing = commit(shared);
    Result<std::vector<Outcome>> outcomes = co_await std::move(committing);
    if (outcomes) {
      for (std::size_t at = 0; at < shared->size(); ++at) {
        conclude((*shared)[at], (*outcomes)[at]);
      }
      co_return;
    }
    if (outcomes.error().code != ErrorCode::internal) {  // the disk or the queue is full
      co_await house_.clock.sleep_for(refused_pause);
      continue;
    }
    if (shared->size() > 1) {  // one of them cannot be stored: each goes alone
      for (auto& one : *shared) {
        std::vector<Considered> alone;
        alone.push_back(std::move(one));
        auto settling = settle(std::move(alone));
        co_await std::move(settling);
      }
      co_return;
    }
    auto& one = shared->front();
    one.decided.reset();
    one.error = fmt::format("its decision could not be stored: {}", outcomes.error().message);
    co_await house_.clock.sleep_for(refused_pause);
  }
}

void Host::conclude(Considered& considered, const Outcome& outcome) {
  auto& waiting = considered.waiting;
  if (waiting.careful && careful_ > 0) --careful_;
  const auto case_id = waiting.case_id;
  const auto source = waiting.source;
  if (considered.absent) {  // held until a configuration knows its entity again
    house_.mailboxes.put_back(std::move(waiting), house_.clock.now());
    return;
  }
  if (outcome.failed && !outcome.failed->gone) {
    ++failures_;
    log_warn("a decision failed{}: entity={} wake={} attempt={} error={}",
             outcome.failed->dead ? " for good, the wake is a dead letter" : ", trying again",
             waiting.entity, waiting.id.value, outcome.failed->attempts, quoted(considered.error));
    if (outcome.failed->dead) ++buried_;
    if (!outcome.failed->dead) {
      waiting.not_before = outcome.failed->not_before;
      waiting.attempts = outcome.failed->attempts;
      waiting.careful = false;
      waiting.holds_case = true;
      house_.mailboxes.release(case_id);
      house_.mailboxes.put(std::move(waiting), house_.clock.now());
      house_.time_moved();
      return;
    }
  }
  house_.mailboxes.release(case_id);
  if (outcome.committed && outcome.committed->decided) {
    ++decisions_;
    house_.bulletin.post("decision", [&] { return news_of(considered, *outcome.committed); });
    asked_(*outcome.committed, source);
  }
  house_.work_ended();
}

asio::awaitable<void> Host::stop(TimePoint deadline) {
  stopping_ = true;
  auto quiet = [](Host& host) -> asio::awaitable<bool> {
    while (host.deciding_ > 0) co_await host.idle_.wait();
    co_return true;
  };
  auto waiting = with_deadline(house_.clock, deadline, quiet(*this));
  (void)co_await std::move(waiting);  // late ones are decided again after the restart
  for (auto& [name, host] : processes_) {
    group_.spawn("stop process", [old = host] { return old->stop(); });
  }
  if (deciding_ > 0) group_.cancel();
  co_await group_.join();
  if (pool_) pool_->join();
}

}  // namespace vigil::runtime
