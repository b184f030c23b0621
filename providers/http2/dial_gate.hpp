#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::http2 {

/// How many connections a thread dials at the same time: a hundred apps that are alerted at once must neither
/// fill the thread with handshakes nor look like an attack to the host that all of them are sent through. A
/// host that does not answer holds up no other. All calls come from that thread; everybody holds it by
/// shared_ptr.
class dial_gate final : public std::enable_shared_from_this<dial_gate> {
public:
    /// `most` counts all hosts, but for the first connection to each, which is always let through.
    explicit dial_gate(std::size_t most_of_a_host = 16, std::size_t most = 64) noexcept
        : most_of_a_host_(most_of_a_host), most_(most) {}

    /// The right to dial; given back with its last copy's end.
    using pass = std::shared_ptr<void>;
    /// Null if too many do: `again` is called, once, when that may have changed.
    [[nodiscard]] pass enter(std::string_view host, std::function<void()> again);

private:
    using dialling = std::map<std::string, std::size_t, std::less<>>;
    void leave(dialling::iterator host) noexcept;

    std::size_t most_of_a_host_;
    std::size_t most_;
    dialling hosts_;  ///< How many are dialled; only those of which some are.
    std::size_t all_ = 0;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace tocsin::http2
