#pragma once
// Migrations from the ninth on.
#include "storage/database.hpp"

namespace vigil::storage {

// Facts fade when nobody uses them: when a decision last read one, when it was last halved.
constexpr Sql fading_facts = R"sql(
ALTER TABLE fact ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fact ADD COLUMN faded INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 9;
)sql";

// What a swarm may take of the day's tokens and money is set aside in its own row, as its compute
// was; that is no longer counted among what was spent.
constexpr Sql reservations = R"sql(
ALTER TABLE swarm ADD COLUMN reserved_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE swarm ADD COLUMN reserved_micros INTEGER NOT NULL DEFAULT 0;
UPDATE swarm SET asked = created WHERE asked IS NULL AND ended IS NULL;
CREATE INDEX swarm_reserved
  ON swarm (entity, case_id, asked, reserved, reserved_tokens, reserved_micros)
  WHERE ended IS NULL;
UPDATE spend SET amount = max(0, amount -
    (SELECT coalesce(sum(s.reserved), 0) FROM swarm s INDEXED BY swarm_reserved
     WHERE s.ended IS NULL AND s.entity = spend.entity
       AND date(s.asked / 1000000, 'unixepoch') = spend.day))
  WHERE kind = 'compute_us';

PRAGMA user_version = 10;
)sql";

// What plans that models wrote were to take, and what they took. Kept as long as the numbers of
// their swarms.
constexpr Sql planned_plans = R"sql(
CREATE TABLE planned (
  swarm INTEGER NOT NULL,
  task TEXT NOT NULL,          -- the planner
  entity TEXT NOT NULL,
  ended INTEGER,
  note BLOB NOT NULL,          -- packed JSON, daemon/runtime/planned.hpp
  PRIMARY KEY (swarm, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX planned_ended ON planned (entity, task, ended, swarm) WHERE ended IS NOT NULL;

PRAGMA user_version = 11;
)sql";

}  // namespace vigil::storage
