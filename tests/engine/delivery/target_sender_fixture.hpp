#pragma once

#include "engine/delivery/target_sender.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/sending_fixture.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace tocsin::testing {

/// The sender of one target, and all that it sends through.
class TargetSenderTest : public SendingTest {
protected:
    target_sender& make() {
        sender = std::make_unique<target_sender>(
            sending_thread{
                loop.get_executor(), 0, known_platforms(), how, time, log, shard_of_numbers, own_book, pages,
                quotas, load, *this},
            mairies, service, 0);
        run();
        return *sender;
    }
    void assign(claimed_event& to) {
        for (claimed_shard& one : to.shards) {
            sender->assign(to.event, std::move(one));
        }
        run();
    }
    std::int64_t parked(const std::string& id) {
        return std::stoll(server.cli({"ZCARD", keys.parked(id, to_string(mairies))}));
    }
    bool opened(const std::string& id, std::uint32_t page) {
        return server.cli({"GETRANGE", keys.opened(id), std::to_string(page), std::to_string(page)}) ==
               "\x01";
    }

    ledger own_book{link, keys, "a"};
    device_store store{link, keys, known_platforms(), {}};
    pruner remover{store, own_book, known_platforms(), time, log, removal_terms_of(how)};
    page_io pages{loop.get_executor(), own_book, store, remover, time, log, 0ms, 24h};
    quota_book quotas{link, keys, time, 0ms};
    thread_load load;
    std::unique_ptr<target_sender> sender;
};

}  // namespace tocsin::testing
