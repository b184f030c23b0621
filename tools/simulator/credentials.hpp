#pragma once

#include "tools/simulator/browsers.hpp"
#include "tools/simulator/pki.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// An APNs signing key as Apple has it on file.
struct apns_key {
    std::string key_id;
    std::string team_id;
    std::string topic;        ///< The only topic it is for; empty: all of the team's.
    std::string environment;  ///< "production", "sandbox" or empty for both.
    key_handle key;
};

/// An app's bundle id, and the team that owns it.
struct apns_topic {
    std::string topic;
    std::string team_id;
};

/// A Firebase project and its one service account.
struct fcm_project {
    std::string project_id;
    std::string client_email;
    std::string private_key_id;
    key_handle key;
};

/// The key that an app's browsers subscribed with.
struct vapid_key {
    std::string app;
    std::string public_key;  ///< base64url
};

/// Everything the providers know about their customers. Immutable once started; shared by threads.
struct credentials {
    std::vector<apns_key> keys;
    std::vector<apns_topic> topics;
    std::vector<fcm_project> projects;
    std::string oauth_secret;  ///< What access tokens are signed with.
    std::vector<vapid_key> vapid_keys;
    std::shared_ptr<const browsers> subscribers;

    [[nodiscard]] std::optional<std::size_t> find_key(std::string_view key_id) const noexcept;
    /// By bundle id, without the suffix that some push types add.
    [[nodiscard]] std::optional<std::size_t> find_topic(std::string_view topic) const noexcept;
    [[nodiscard]] std::optional<std::size_t> find_project(std::string_view project_id) const noexcept;
    [[nodiscard]] std::optional<std::size_t> find_account(std::string_view client_email) const noexcept;
};

}  // namespace tocsin::sim
