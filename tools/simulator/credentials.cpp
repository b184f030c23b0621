#include "tools/simulator/credentials.hpp"

#include <algorithm>

namespace tocsin::sim {
namespace {

template <class Row, class Member>
std::optional<std::size_t> position(
    const std::vector<Row>& rows, std::string_view wanted, Member member) noexcept {
    const auto found =
        std::ranges::find(rows, wanted, [member](const Row& row) { return std::string_view(row.*member); });
    if (found == rows.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - rows.begin());
}

}  // namespace

std::optional<std::size_t> credentials::find_key(std::string_view key_id) const noexcept {
    return position(keys, key_id, &apns_key::key_id);
}
std::optional<std::size_t> credentials::find_topic(std::string_view topic) const noexcept {
    return position(topics, topic, &apns_topic::topic);
}
std::optional<std::size_t> credentials::find_project(std::string_view project_id) const noexcept {
    return position(projects, project_id, &fcm_project::project_id);
}
std::optional<std::size_t> credentials::find_account(std::string_view client_email) const noexcept {
    return position(projects, client_email, &fcm_project::client_email);
}

}  // namespace tocsin::sim
