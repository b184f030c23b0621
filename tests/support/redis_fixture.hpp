#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace tocsin::testing {

/// A test with a real Redis of its own and one connection to it.
class redis_fixture : public ::testing::Test {
protected:
    template <class T>
    T run(boost::asio::awaitable<T> work) {
        return run_to_end(loop, std::move(work));
    }

    redis_server server;
    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    keyspace keys{"tocsin"};
    redis::client redis{loop.get_executor(), redis::parse_address(server.url()).value(), time, log};
};

}  // namespace tocsin::testing
