#pragma once

#include "tools/simulator/access_token.hpp"
#include "tools/simulator/conversation.hpp"
#include "tools/simulator/credentials.hpp"
#include "tools/simulator/verdict_cache.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// Access tokens that were verified, and message bodies that were parsed, by one thread.
class fcm_desk {
public:
    struct bearer {
        access_grant grant;
        reason_index flaw = success;
    };

    /// Tokens issued before `*valid_from_ms` are refused.
    fcm_desk(const credentials& known, const std::atomic<std::int64_t>& valid_from_ms);

    /// What the value of an `authorization` header stands for; valid while the desk lives.
    [[nodiscard]] const bearer& read(std::string_view authorization);
    [[nodiscard]] bool revoked(const access_grant& grant) const noexcept {
        return grant.issued_ms < valid_from_ms_.load(std::memory_order_relaxed);
    }

    /// Checks `asked.body`; leaves its target in `asked.token`. Bodies that differ in nothing but the
    /// token are parsed once.
    [[nodiscard]] reason_index check_body(request& asked);

    [[nodiscard]] const credentials& known() const noexcept { return known_; }
    [[nodiscard]] const std::string& body_of(reason_index why) const noexcept { return bodies_[why]; }
    /// The success body: a message name that no other answer has.
    void name_message(std::size_t project, const moment& now, std::string& out);

private:
    struct good_body {
        bool validate_only = false;
    };

    [[nodiscard]] reason_index parse_body(request& asked, std::uint64_t hash, std::string_view found);

    const credentials& known_;
    const std::atomic<std::int64_t>& valid_from_ms_;
    std::array<std::string, max_reasons> bodies_;
    boost::unordered_flat_map<std::string, std::unique_ptr<bearer>> bearers_;
    verdict_cache<good_body> templates_;
    std::vector<std::string> name_heads_;  // Of each project, for the moment below.
    std::int64_t named_at_ms_ = 0;
    std::uint64_t ids_ = 0;
};

/// One FCM connection. Authentication is per request, so a connection may serve many projects.
class fcm_conversation final : public conversation {
public:
    explicit fcm_conversation(fcm_desk& desk) : desk_(desk) {}

    void on_header(request& asked, std::string_view name, std::string_view value) noexcept override;
    reason_index check(request& asked, const provider_behaviour& rules, const moment& now) noexcept override;
    void accept(request& asked, const moment& now) noexcept override;
    void refuse(request& asked, reason_index why, const refusal_details& details, const moment& now) noexcept
        override;
    void wedge_connection() noexcept override {}
    bool authenticated() const noexcept override { return true; }

private:
    void read_path(request& asked, std::string_view path) noexcept;

    fcm_desk& desk_;
    // Headers repeat from request to request: remember what they meant.
    std::string last_authorization_;
    const fcm_desk::bearer* last_bearer_ = nullptr;
    std::string last_path_;
    std::int32_t last_owner_ = -1;
    reason_index last_flaw_ = success;
};

}  // namespace tocsin::sim
