#pragma once
// The handlers behind the routes, one file per noun. Loop thread only.
#include <boost/asio/awaitable.hpp>

#include "daemon/admin/call.hpp"
#include "daemon/admin/desk.hpp"

namespace vigil::admin {

// status.cpp
Answer list_routes(Desk& desk, const Call& call);
Answer get_health(Desk& desk, const Call& call);
Answer get_ready(Desk& desk, const Call& call);
Answer get_status(Desk& desk, const Call& call);
Answer get_metrics(Desk& desk, const Call& call);  // metrics.cpp

// doctor.cpp
boost::asio::awaitable<Answer> examine(Desk& desk, Call call);
boost::asio::awaitable<Answer> leave_safe_mode(Desk& desk, Call call);

// entities.cpp
Answer list_entities(Desk& desk, const Call& call);
Answer get_entity(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> pause_entity(Desk& desk, Call call);
boost::asio::awaitable<Answer> poke_source(Desk& desk, Call call);
boost::asio::awaitable<Answer> resume_entity(Desk& desk, Call call);
Answer get_budget(Desk& desk, const Call& call);

// events.cpp
boost::asio::awaitable<Answer> list_events(Desk& desk, Call call);
Answer get_event(Desk& desk, const Call& call);
Answer explain_event(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> emit_event(Desk& desk, Call call);
boost::asio::awaitable<Answer> replay_event(Desk& desk, Call call);

// cases.cpp
Answer list_cases(Desk& desk, const Call& call);
Answer get_case(Desk& desk, const Call& call);
Answer list_decisions(Desk& desk, const Call& call);
Answer get_decision(Desk& desk, const Call& call);

// swarms.cpp
boost::asio::awaitable<Answer> list_swarms(Desk& desk, Call call);
Answer get_swarm(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> cancel_swarm(Desk& desk, Call call);
boost::asio::awaitable<Answer> retry_swarm(Desk& desk, Call call);
boost::asio::awaitable<Answer> run_swarm(Desk& desk, Call call);    // swarm_asked.cpp
boost::asio::awaitable<Answer> swarm_trend(Desk& desk, Call call);  // swarm_trend.cpp

// actions.cpp
Answer list_actions(Desk& desk, const Call& call);
Answer get_action(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> approve_action(Desk& desk, Call call);
boost::asio::awaitable<Answer> deny_action(Desk& desk, Call call);
boost::asio::awaitable<Answer> give_feedback(Desk& desk, Call call);

// timers.cpp
Answer list_timers(Desk& desk, const Call& call);
Answer list_next(Desk& desk, const Call& call);
Answer list_dead(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> retry_dead(Desk& desk, Call call);
boost::asio::awaitable<Answer> drop_dead(Desk& desk, Call call);

// memory.cpp, mind.cpp
Answer search_memory(Desk& desk, const Call& call);
Answer list_documents(Desk& desk, const Call& call);
Answer get_document(Desk& desk, const Call& call);
Answer get_memory(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> set_fact(Desk& desk, Call call);
boost::asio::awaitable<Answer> forget_memory(Desk& desk, Call call);
boost::asio::awaitable<Answer> consolidate_memory(Desk& desk, Call call);
boost::asio::awaitable<Answer> export_memory(Desk& desk, Call call);
boost::asio::awaitable<Answer> import_memory(Desk& desk, Call call);

// config.cpp
Answer get_config(Desk& desk, const Call& call);
Answer check_config(Desk& desk, const Call& call);
Answer diff_config(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> reload_config(Desk& desk, Call call);
boost::asio::awaitable<Answer> make_backup(Desk& desk, Call call);

// audit.cpp
Answer list_audit(Desk& desk, const Call& call);
boost::asio::awaitable<Answer> verify_ledger(Desk& desk, Call call);

// tail.cpp
Answer tail(Desk& desk, const Call& call);

}  // namespace vigil::admin
