#include "engine/redis/client.hpp"

#include "engine/redis/cluster.hpp"
#include "engine/redis/connection.hpp"
#include "engine/redis/dialer.hpp"

#include <utility>

namespace tocsin::redis {

namespace asio = boost::asio;

client::client(
    asio::any_io_executor executor, address where, const time_source& time, logger& log,
    client_options options) {
    if (where.kind == topology::cluster) {
        cluster_ = std::make_shared<cluster>(std::move(executor), std::move(where), time, log, options);
        return;
    }
    auto dial = std::make_shared<dialer>(executor);
    connection_ = std::make_shared<connection>(
        std::move(executor), std::move(where), std::move(dial), time, log, options,
        connection::patience::waits);
}

client::~client() {
    close();
}

asio::awaitable<result<replies>> client::execute(request what) {
    return connection_ != nullptr ? connection::execute(connection_, std::move(what))
                                  : cluster::execute(cluster_, std::move(what));
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

std::uint64_t client::errors() const noexcept {
    return connection_ != nullptr ? connection_->errors() : cluster_->errors();
}

}  // namespace tocsin::redis
