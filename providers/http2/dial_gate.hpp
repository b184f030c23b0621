#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace tocsin::http2 {

/// How many connections a thread dials at the same time, to whatever hosts: a hundred apps that are alerted
/// at once must neither fill the thread with handshakes nor look like an attack. All calls come from that
/// thread; everybody holds it by shared_ptr.
class dial_gate final : public std::enable_shared_from_this<dial_gate> {
public:
    explicit dial_gate(std::size_t most = 16) noexcept : free_(most) {}

    /// The right to dial; given back with its last copy's end.
    using pass = std::shared_ptr<void>;
    /// Null if too many do: `again` is called, once, when that changes.
    [[nodiscard]] pass enter(std::function<void()> again);

private:
    void leave() noexcept;

    std::size_t free_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace tocsin::http2
