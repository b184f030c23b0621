#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::redis {

/// A Lua script, addressed by the SHA-1 of its source. Make one per script, with static lifetime.
class script {
public:
    /// `name` is for the log; `source` must outlive the script (a string literal).
    script(std::string_view name, std::string_view source);
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::string_view source() const noexcept { return source_; }
    [[nodiscard]] const std::string& sha() const noexcept { return sha_; }

private:
    std::string_view name_;
    std::string_view source_;
    std::string sha_;
};

/// Commands that leave together. Arguments are copied into wire form at once, binary-safe.
class request {
public:
    request() = default;
    /// One command, as add() takes it.
    template <class... Arguments>
    explicit request(std::string_view command, const Arguments&... arguments) {
        add(command, arguments...);
    }
    /// One call of a script, as add_script() takes it.
    request(const script& what, std::span<const std::string> keys, std::span<const std::string> arguments) {
        add_script(what, keys, arguments);
    }

    /// add("HSET", key, field, 42): strings and integers mix.
    template <class... Arguments>
    request& add(std::string_view command, const Arguments&... arguments) {
        begin(1 + sizeof...(arguments));
        append(command);
        (append_one(arguments), ...);
        return *this;
    }
    /// For commands whose length is only known at run time: begin(n), then n times append().
    request& begin(std::size_t arguments);
    request& append(std::string_view argument);
    template <std::integral T>
    request& append(T number) {
        return append(std::string_view(std::to_string(number)));
    }
    /// EVALSHA of `what`. The script must outlive the call of execute().
    ///
    /// Redis is taught the script before its first use on a connection. Only if it forgets it after
    /// that (SCRIPT FLUSH) is the call repeated, after the other commands of this request.
    request& add_script(
        const script& what, std::span<const std::string> keys, std::span<const std::string> arguments);

    /// On a cluster the command that was added last goes to the node of `key`: for one that names no key
    /// and is about what was done with some (WAIT, ROLE).
    request& beside(std::string_view key);

    /// The reply of the last command may take this much longer (XREADGROUP … BLOCK).
    request& expect_delay(std::chrono::milliseconds extra) {
        extra_ = extra;
        return *this;
    }

    [[nodiscard]] std::chrono::milliseconds expected_delay() const noexcept { return extra_; }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// What it takes on the wire.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }

private:
    friend class pipeline;
    friend class command_list;
    struct script_call {
        std::size_t index;  ///< Which command of the pipeline.
        const script* what;
        std::size_t offset;  ///< Where its bytes begin and end in bytes_, to send it again.
        std::size_t size;
    };

    template <class T>
    void append_one(const T& argument) {
        if constexpr (std::integral<T>) {
            append(std::string_view(std::to_string(argument)));
        } else {
            append(std::string_view(argument));
        }
    }

    void write_head(char kind, std::size_t number);

    std::string bytes_;
    std::size_t count_ = 0;
    std::size_t owed_ = 0;  ///< Arguments that the last begin() announced and nobody appended yet.
    std::vector<script_call> scripts_;
    std::vector<std::pair<std::size_t, std::string>> beside_;  ///< Which command, and whose node.
    std::chrono::milliseconds extra_{0};
};

}  // namespace tocsin::redis
