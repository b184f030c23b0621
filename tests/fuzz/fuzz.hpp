#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What a fuzz target is: one function, called with any bytes at all. It reads them as the product would, and
// calls require() on what must hold of every answer.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tocsin::fuzz {

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process if `holds` is false: both libFuzzer and our driver then keep the input.
inline void require(bool holds) noexcept {
    if (!holds) {
        __builtin_trap();
    }
}

/// Takes numbers off the front of the input, for targets that need some besides text. Zero at the end.
class choices {
public:
    explicit choices(std::string_view from) noexcept : rest_(from) {}

    [[nodiscard]] std::uint8_t byte() noexcept {
        if (rest_.empty()) {
            return 0;
        }
        const auto out = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return out;
    }
    [[nodiscard]] std::string_view bytes(std::size_t count) noexcept {
        const std::string_view out = rest_.substr(0, count);
        rest_.remove_prefix(out.size());
        return out;
    }
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

}  // namespace tocsin::fuzz
