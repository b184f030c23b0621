#pragma once

#include "tools/simulator/browsers.hpp"
#include "tools/simulator/conversation.hpp"
#include "tools/simulator/credentials.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// VAPID tokens that were verified (RFC 8292), and the browsers, by one thread.
class webpush_desk {
public:
    struct proof {
        reason_index flaw = success;
        std::int32_t owner = -1;  ///< The app whose key it is, in credentials.
        std::int64_t expires_s = 0;
    };

    webpush_desk(const credentials& known, std::string origin);

    /// What the value of an `authorization` header stands for; valid while the desk lives.
    [[nodiscard]] const proof& read(std::string_view authorization);
    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    [[nodiscard]] const browsers& known() const noexcept { return *known_.subscribers; }
    [[nodiscard]] push_reader& reader() noexcept { return reader_; }

private:
    [[nodiscard]] proof verify(std::string_view authorization) const;

    const credentials& known_;
    std::string origin_;
    push_reader reader_;
    boost::unordered_flat_map<std::string, std::unique_ptr<proof>> proofs_;
};

/// One connection to the push service. Each request proves who sends it.
class webpush_conversation final : public conversation {
public:
    explicit webpush_conversation(webpush_desk& desk) : desk_(desk) {}

    void on_header(request& asked, std::string_view name, std::string_view value) noexcept override;
    reason_index check(request& asked, const provider_behaviour& rules, const moment& now) noexcept override;
    void accept(request& asked, const moment& now) noexcept override;
    void refuse(request& asked, reason_index why, const refusal_details& details, const moment& now) noexcept
        override;
    void wedge_connection() noexcept override {}
    bool authenticated() const noexcept override { return true; }

private:
    [[nodiscard]] reason_index check_fields(const request& asked) const noexcept;

    webpush_desk& desk_;
    std::string last_authorization_;
    const webpush_desk::proof* last_proof_ = nullptr;
};

}  // namespace tocsin::sim
