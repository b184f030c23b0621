#include "engine/redis/replica_watch.hpp"

namespace tocsin::redis {
namespace {

using namespace std::chrono_literals;

// Soon enough for a replica that is added, and rare enough that one which hangs (Redis keeps it on its
// list for a minute) costs one wait in so long.
constexpr auto between_looks = 5s;

/// ROLE of a master: "master", its offset, and an array of its replicas. See "ROLE" in Redis' documentation.
bool has_replica(const reply& role) noexcept {
    return role.size() == 3 && role[0].text() == "master" && role[2].size() > 0;
}

}  // namespace

replica_watch::question replica_watch::ask(request& into, std::string_view key, time_point now) {
    question out;
    if (patience_ <= 0ms) {
        return out;
    }
    if (now >= next_look_) {
        into.add("ROLE").beside(key);
        out.role = true;
    }
    if (there_) {
        add_wait(into, key);
        out.wait = true;
    }
    return out;
}

replica_watch::answer replica_watch::read(
    question asked, const replies& got, std::size_t first, time_point now) {
    if (asked.role) {
        there_ =
            has_replica(got[first++]);  // A user who may not ask is told an error: as if there were none.
        next_look_ = now + between_looks;
    }
    if (asked.wait) {
        return read_wait(got[first], now);
    }
    return there_ ? answer::owed : answer::fine;
}

request replica_watch::wait_for(std::string_view key) const {
    request out;
    add_wait(out, key);
    return out;
}

replica_watch::answer replica_watch::read_wait(const reply& got, time_point now) {
    const auto replicas = got.integer();
    if (replicas && *replicas > 0) {
        return answer::fine;
    }
    // A user who may ask for ROLE and not WAIT is told so. Any other error is that of a server that was
    // demoted while we waited (UNBLOCKED).
    if (!replicas && !got.text().starts_with("NOPERM")) {
        return answer::lost;
    }
    there_ = false;
    next_look_ = now + between_looks;
    return answer::behind;
}

void replica_watch::add_wait(request& into, std::string_view key) const {
    into.add("WAIT", 1, patience_.count()).beside(key).expect_delay(patience_);
}

}  // namespace tocsin::redis
