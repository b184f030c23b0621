#pragma once

#include "engine/core/error.hpp"
#include "engine/platform/platform.hpp"
#include "engine/platform/token_beginnings.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

/// The fields of a registration by which a platform's devices are addressed.
enum class device_address : std::uint8_t {
    token,         ///< "token".
    token_or_fid,  ///< "token", or "fid" in its place.
    subscription   ///< "subscription"; to unregister, its endpoint as "token" is enough.
};

/// A code that refusals may have, as refusal_codes.hpp has them.
struct refusal_row {
    std::string_view word;
    std::string_view meaning;  ///< One line for people.
};

/// A platform as far as documents and the store show it: how a token is read, stored and shown, and what an
/// event may say to it. Implemented by its provider; holds nothing that changes.
class platform_traits {
public:
    virtual ~platform_traits() = default;
    platform_traits() = default;
    platform_traits(const platform_traits&) = delete;
    platform_traits& operator=(const platform_traits&) = delete;

    [[nodiscard]] virtual platform kind() const noexcept = 0;
    /// Its name, as people write it.
    [[nodiscard]] virtual std::string_view title() const noexcept = 0;
    [[nodiscard]] virtual device_address address() const noexcept { return device_address::token; }
    /// Whether devices can belong to an environment for development, "sandbox".
    [[nodiscard]] virtual bool has_sandbox() const noexcept { return false; }

    /// Whether `token` has the form that it is written in. `path` names the field in the refusal, which never
    /// shows the token.
    [[nodiscard]] virtual parsed<> check_token(std::string_view token, std::string_view path) const = 0;
    /// A token as the store keeps it and as its hash is made, and as documents write it.
    [[nodiscard]] virtual std::string stored_token(std::string_view written) const {
        return std::string(written);
    }
    [[nodiscard]] virtual std::string written_token(std::string_view stored) const {
        return std::string(stored);
    }

    /// How stored tokens begin, for those that the store shortens. The table outlives everything.
    [[nodiscard]] virtual token_beginnings beginnings() const noexcept { return no_common_beginning; }

    /// Whether the provider would refuse a key of an event's data, or take it for its own.
    [[nodiscard]] virtual bool reserves(std::string_view data_key) const noexcept {
        static_cast<void>(data_key);
        return false;
    }
    /// Whether the platform's own part of an event is something to send where there is nothing else.
    [[nodiscard]] virtual bool is_content(const boost::json::object& own) const {
        static_cast<void>(own);
        return false;
    }
    /// Whether that part asks the provider to validate a dry run.
    [[nodiscard]] virtual bool validates(const boost::json::object& own) const {
        static_cast<void>(own);
        return false;
    }

    /// The codes of the refusals that its own checks give.
    [[nodiscard]] virtual std::span<const refusal_row> refusals() const noexcept { return {}; }
};

/// The platforms that there are, of each its traits. Refers to them; cheap to copy.
class platform_set {
public:
    /// In the order of the enumeration.
    explicit constexpr platform_set(std::span<const platform_traits* const, platform_count> all) noexcept
        : all_(all) {}

    [[nodiscard]] const platform_traits& operator[](platform which) const noexcept {
        return *all_[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] std::span<const platform_traits* const> all() const noexcept { return all_; }

private:
    std::span<const platform_traits* const, platform_count> all_;
};

}  // namespace tocsin
