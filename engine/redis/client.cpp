#include "engine/redis/client.hpp"

#include "engine/redis/cluster.hpp"
#include "engine/redis/connection.hpp"
#include "engine/redis/dialer.hpp"

#include <utility>

namespace tocsin::redis {

namespace asio = boost::asio;

namespace {

asio::awaitable<result<replies>> noting(
    asio::awaitable<result<replies>> inner, std::shared_ptr<error_replies> refusals,
    const time_source& time) {
    result<replies> answer = co_await std::move(inner);
    if (answer.has_value() && answer->first_error()) [[unlikely]] {
        refusals->note(*answer, time.now());
    }
    co_return answer;
}

}  // namespace

client::client(
    asio::any_io_executor executor, address where, const time_source& time, logger& log,
    client_options options)
    : time_(&time) {
    if (where.kind == topology::cluster) {
        cluster_ = std::make_shared<cluster>(std::move(executor), std::move(where), time, log, options);
        cluster_->tell(refusals_);
        return;
    }
    auto dial = std::make_shared<dialer>(executor);
    connection_ = std::make_shared<connection>(
        std::move(executor), std::move(where), std::move(dial), time, log, options,
        connection::patience::waits);
    connection_->tell(refusals_);
}

client::~client() {
    close();
}

// No coroutine, so that what it needs is taken hold of at once: the client may be gone when the coroutine
// begins.
asio::awaitable<result<replies>> client::execute(request what) {
    return noting(
        connection_ != nullptr ? connection::execute(connection_, std::move(what))
                               : cluster::execute(cluster_, std::move(what)),
        refusals_, *time_);
}

void client::close() noexcept {
    if (connection_ != nullptr) {
        connection_->close();
    } else if (cluster_ != nullptr) {
        cluster_->close();
    }
}

bool client::connected() const noexcept {
    return connection_ != nullptr ? connection_->connected() : cluster_->connected();
}

}  // namespace tocsin::redis
