#pragma once

#include "tools/simulator/conversation.hpp"
#include "tools/simulator/credentials.hpp"
#include "tools/simulator/verdict_cache.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// Provider tokens that were verified, and payloads that were parsed, by one thread for one APNs
/// environment: a signature costs 60 µs, finding it again 30 ns.
class apns_desk {
public:
    struct bearer {
        std::size_t key = 0;      ///< In credentials::keys.
        std::int64_t issued = 0;  ///< iat, seconds since 1970.
        reason_index flaw = success;
    };

    /// `environment` is "production" or "sandbox".
    apns_desk(const credentials& known, std::string environment);

    /// What the value of an `authorization` header stands for; valid while the desk lives.
    [[nodiscard]] const bearer& read(std::string_view authorization);

    /// True if the payload is a JSON object. The same bytes are parsed once.
    [[nodiscard]] bool is_json(std::string_view payload) noexcept;

    [[nodiscard]] const credentials& known() const noexcept { return known_; }
    [[nodiscard]] const std::string& body_of(reason_index why) const noexcept { return bodies_[why]; }
    /// A canonical UUID that no other answer of this desk has.
    void make_id(std::array<char, 36>& out) noexcept;

private:
    [[nodiscard]] bearer verify(std::string_view authorization) const;

    const credentials& known_;
    std::string environment_;
    std::array<std::string, max_reasons> bodies_;
    boost::unordered_flat_map<std::string, std::unique_ptr<bearer>> bearers_;
    verdict_cache<bool> payloads_;
    std::uint64_t ids_;
};

/// One APNs connection. Order of the checks: Apple's documents do not say; this is pushy's mock
/// server's (jchambers/pushy), with the credential before anything that tells about a device.
class apns_conversation final : public conversation {
public:
    /// `certificate_topic` is that of a verified client certificate; empty: provider tokens.
    apns_conversation(apns_desk& desk, std::string certificate_topic)
        : desk_(desk), certificate_topic_(std::move(certificate_topic)) {}

    void on_header(request& asked, std::string_view name, std::string_view value) noexcept override;
    reason_index check(request& asked, const provider_behaviour& rules, const moment& now) noexcept override;
    void accept(request& asked, const moment& now) noexcept override;
    void refuse(request& asked, reason_index why, const refusal_details& details, const moment& now) noexcept
        override;
    void wedge_connection() noexcept override { wedged_ = true; }
    bool authenticated() const noexcept override { return proven_ || !certificate_topic_.empty(); }

private:
    void read_path(request& asked, std::string_view path) noexcept;
    void read_topic(request& asked, std::string_view topic) noexcept;
    [[nodiscard]] reason_index check_headers(const request& asked) const noexcept;
    [[nodiscard]] reason_index check_credential(
        request& asked, const provider_behaviour& rules, const moment& now) noexcept;
    [[nodiscard]] reason_index check_bearer(
        const apns_desk::bearer& bearer, const request& asked, const provider_behaviour& rules,
        const moment& now) noexcept;
    [[nodiscard]] reason_index check_payload(const request& asked) noexcept;

    apns_desk& desk_;
    std::string certificate_topic_;
    bool proven_ = false;
    bool called_expired_ = false;  // Some token, here.
    bool wedged_ = false;          // Whatever was called.

    // The first token's key binds the connection to its team and kind.
    const apns_desk::bearer* first_ = nullptr;
    // The token in use, and since when: changing it too often is refused.
    const apns_desk::bearer* current_ = nullptr;
    std::int64_t current_since_ms_ = 0;

    // Headers repeat from request to request: remember what they meant.
    std::string last_authorization_;
    const apns_desk::bearer* last_bearer_ = nullptr;
    std::string last_topic_;
    std::int32_t last_owner_ = -1;
};

}  // namespace tocsin::sim
