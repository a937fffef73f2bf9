#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/on_pool.hpp"
#include "daemon/admin/handlers.hpp"
#include "storage/chain.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

json::object view_of(const storage::ChainLook& look) {
  json::object out{
      {"rows", look.rows}, {"unchained", look.unchained}, {"last", look.last}, {"head", look.head}};
  if (look.broken_at) out["broken_at"] = *look.broken_at;
  return out;
}

Result<json::object> look_at_chains(const std::string& state_dir) {
  auto opened = storage::Stores::open_reader(state_dir);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& stores = **opened;
  stores.snapshot();
  const auto ledger = look_at_chain(stores.database(), storage::Chain::ledger);
  const auto audit = look_at_chain(stores.database(), storage::Chain::audit);
  stores.release();
  return json::object{{"whole", !ledger.broken_at && !audit.broken_at},
                      {"ledger", view_of(ledger)},
                      {"audit", view_of(audit)}};
}

}  // namespace

Answer list_audit(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) return std::unexpected(before.error());
  json::array out;
  for (const auto& entry : desk.reader().audit.list(*before, *limit)) {
    out.push_back(json::object{{"id", entry.id},
                               {"at", to_rfc3339(entry.at)},
                               {"who", entry.who},
                               {"uid", entry.uid},
                               {"pid", entry.pid},
                               {"role", entry.role},
                               {"what", entry.what},
                               {"detail", entry.detail}});
  }
  return json_response(json::object{{"audit", std::move(out)}});
}

// Reads every row: on a thread and a connection of its own.
asio::awaitable<Answer> verify_ledger(Desk& desk, Call) {
  auto work = [state_dir = desk.parts.state_dir] { return look_at_chains(state_dir); };
  auto looking = on_pool(desk.long_reads().get_executor(), desk.parts.executor, std::move(work));
  Result<json::object> looked = co_await std::move(looking);
  if (!looked) co_return refuse(looked.error());
  co_return json_response(*looked);
}

}  // namespace vigil::admin
