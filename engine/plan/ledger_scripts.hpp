#pragma once

#include "engine/redis/request.hpp"

// The Lua scripts of the ledger. Each touches the keys of one event (one slot of a cluster) and
// leaves them consistent, whoever dies before or after it.

namespace tocsin::ledger_scripts {

extern const redis::script plan;
extern const redis::script claim;
extern const redis::script open;
extern const redis::script release;
extern const redis::script put_aside;
extern const redis::script leave;
extern const redis::script settle;
extern const redis::script amend;
extern const redis::script audit;
extern const redis::script conclude;
extern const redis::script publish;
extern const redis::script close;
extern const redis::script give_up;
extern const redis::script cancel;
extern const redis::script erase_scheduled;

}  // namespace tocsin::ledger_scripts
