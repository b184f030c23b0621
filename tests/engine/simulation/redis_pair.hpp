#pragma once

#include "tests/engine/simulation/blocking_redis.hpp"
#include "tests/support/redis_server.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tocsin::testing {

/// Two real servers behind one address, of which one takes the writes: a failover in disguise, as a proxy or
/// an address that moves makes one. Who is connected to a server stays connected whatever becomes of it.
class redis_pair final : public redis_address {
public:
    /// Both listen on a port and outlive this.
    redis_pair(const redis_server& one, const redis_server& other);

    /// The one that the address leads to.
    [[nodiscard]] blocking_redis& server() noexcept override { return *nodes_[at_]; }
    void let_arrive(const blocking_redis& which) override;

    /// Both empty, and nobody demoted; the second follows the first if `with_replica`.
    void begin(bool with_replica);

    /// From now on the replica hears nothing of what the master does, nor will it.
    void cut_off_replica();
    /// Whether there is one that does.
    [[nodiscard]] bool replicated() const noexcept { return replica_follows_; }
    enum class fate : std::uint8_t {
        follows,   ///< Of the other server: it has what that one has.
        isolated,  ///< Of nobody that is there: it keeps what it has, and hears nothing more.
    };
    /// The server takes no writes any more and follows the other, or nobody; the address goes on leading to
    /// it.
    void demote(fate of_it);
    [[nodiscard]] bool demoted() const noexcept { return demoted_; }
    /// Whether it follows nobody that is there.
    [[nodiscard]] bool isolated() const noexcept { return demoted_ && !others_replica_; }
    /// Whether the other server has all that there was when this one was demoted.
    [[nodiscard]] bool survives() const noexcept { return survives_; }
    /// Ends that: the address leads to the other server from now on. What that one was cut off from is lost.
    void promote_other();
    /// Ends it, too: the same server is a master again, and the other follows it. Only of one that was
    /// isolated.
    void promote_same();

private:
    void follow(std::size_t node, std::uint16_t port);
    void lead(std::size_t node);
    void wait_for_replica();
    void have_replica(bool there) noexcept;

    std::array<const redis_server*, 2> servers_;
    std::array<std::unique_ptr<blocking_redis>, 2> nodes_;
    std::size_t at_ = 0;
    bool demoted_ = false;
    bool survives_ = true;
    bool replica_follows_ = false;  ///< The server that is not at the address follows the one that is.
    bool others_replica_ = false;   ///< The other way round, while the one at the address is demoted.
};

}  // namespace tocsin::testing
