#include "engine/core/private_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
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

// What each platform calls the right mode.
constexpr const char* of_platforms =
    ". Of a secret that is mounted: defaultMode: 0440 with fsGroup (Kubernetes), uid and mode: 0400 "
    "(Compose), LoadCredential= (systemd)";

refusal unreadable(const std::string& path, int error) {
    return {
        "unreadable", path + " cannot be read: " + std::generic_category().message(error) +
                          (error == EACCES ? of_platforms : "")};
}

/// Reads the access control list of an open file into `out`. A file system without such lists has none.
void read_access_list(int file, file_access& out) {
    std::array<char, 4096> bytes;
    const ssize_t size = ::fgetxattr(file, "system.posix_acl_access", bytes.data(), bytes.size());
    posix_acl_xattr_header head{};
    if (size < static_cast<ssize_t>(sizeof head)) {
        return;
    }
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.a_version != POSIX_ACL_XATTR_VERSION) {
        return;
    }
    std::vector<posix_acl_xattr_entry> entries(
        (static_cast<std::size_t>(size) - sizeof head) / sizeof(posix_acl_xattr_entry));
    std::memcpy(entries.data(), bytes.data() + sizeof head, entries.size() * sizeof(posix_acl_xattr_entry));
    std::uint16_t mask = ACL_READ | ACL_WRITE;
    for (const auto& one : entries) {
        mask = one.e_tag == ACL_MASK ? one.e_perm : mask;
    }
    out.has_list = true;
    for (const auto& one : entries) {
        const bool reads = (one.e_perm & mask & ACL_READ) != 0;
        const bool writes = (one.e_perm & mask & ACL_WRITE) != 0;
        if (one.e_tag == ACL_GROUP_OBJ) {
            out.group_reads = reads;
            out.group_writes = writes;
        } else if (one.e_tag == ACL_USER || one.e_tag == ACL_GROUP) {
            const auto kind =
                one.e_tag == ACL_USER ? file_access::named::kind::user : file_access::named::kind::group;
            out.list.push_back({kind, one.e_id, reads, writes});
        }
    }
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
    file_access access{.owner = status.st_uid, .group = status.st_gid, .mode = status.st_mode};
    read_access_list(file.get(), access);
    if (const std::string why = objection_to(access, identity::of_this_process(), path); !why.empty()) {
        return refusal{"not_private", path + " " + why};
    }
    return file;
}

bool is_member(const identity& who, gid_t group) {
    return std::ranges::find(who.groups, group) != who.groups.end();
}

}  // namespace

identity identity::of_this_process() {
    identity out;
    out.user = ::geteuid();
    const int count = ::getgroups(0, nullptr);
    out.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    out.groups.resize(static_cast<std::size_t>(std::max(::getgroups(count, out.groups.data()), 0)));
    out.groups.push_back(::getegid());
    return out;
}

std::string objection_to(const file_access& file, const identity& who, const std::string& path) {
    if (file.owner != who.user && file.owner != 0) {
        return "holds a secret but belongs to user " + std::to_string(file.owner) +
               ", who is neither this process's user nor root: chown " + std::to_string(who.user) + " " +
               path + of_platforms;
    }
    const bool group_reads = file.has_list ? file.group_reads : (file.mode & S_IRGRP) != 0;
    const bool group_writes = file.has_list ? file.group_writes : (file.mode & S_IWGRP) != 0;
    const bool group_runs = !file.has_list && (file.mode & S_IXGRP) != 0;
    bool too_open = (file.mode & S_IRWXO) != 0 || group_writes || group_runs;
    // A file of root's that a platform mounts cannot be made private by its reader; one that its reader can
    // write to can.
    const bool mounted = file.owner == 0 && (who.user != 0 || (file.mode & S_IWUSR) == 0);
    too_open = too_open || (group_reads && !mounted);
    for (const file_access::named& one : file.list) {
        const bool ours =
            one.what == file_access::named::kind::user ? one.id == who.user : is_member(who, one.id);
        too_open = too_open || one.writes || (one.reads && !(ours && mounted));
    }
    if (too_open) {
        return "holds a secret but others than its owner can use it: chmod 600 " + path + of_platforms;
    }
    if (group_reads && !is_member(who, file.group)) {
        return "holds a secret but group " + std::to_string(file.group) +
               " can read it, which this process is not in: chmod 600 " + path + of_platforms;
    }
    return "";
}

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
