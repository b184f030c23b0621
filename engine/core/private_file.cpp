#include "engine/core/private_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin {
namespace {

constexpr std::size_t largest_secret = std::size_t{1} << 20U;

class descriptor {
public:
    explicit descriptor(int value) noexcept : value_(value) {}
    descriptor(descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }
    [[nodiscard]] int get() const noexcept { return value_; }

private:
    int value_;
};

refusal unreadable(const std::string& path, int error) {
    return {"unreadable", path + " cannot be read: " + std::generic_category().message(error)};
}

parsed<descriptor> open_private(const std::string& path) {
    // O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
    descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        return unreadable(path, errno);
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        return unreadable(path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return refusal{"not_a_file", path + " is not a regular file"};
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return refusal{
            "not_private", path + " holds a secret but others than its owner can use it: chmod 600 " + path};
    }
    return file;
}

}  // namespace

parsed<> check_private_file(const std::string& path) {
    const auto file = open_private(path);
    if (file.has_error()) {
        return file.error();
    }
    return {};
}

parsed<std::string> read_private_file(const std::string& path) {
    const auto file = open_private(path);
    if (file.has_error()) {
        return file.error();
    }
    std::string contents;
    std::array<char, 4096> chunk;
    for (;;) {
        const ssize_t count = ::read(file->get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return unreadable(path, errno);
        }
        if (count == 0) {
            return contents;
        }
        contents.append(chunk.data(), static_cast<std::size_t>(count));
        if (contents.size() > largest_secret) {
            return refusal{"too_large", path + " is larger than 1 MiB: it is not a key"};
        }
    }
}

}  // namespace tocsin
