#pragma once

#include "engine/core/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace tocsin {

/// Who may do what with a file: its mode, and its access control list if it has one.
struct file_access {
    uid_t owner = 0;
    gid_t group = 0;
    mode_t mode = 0;
    /// A user or a group that the list names beside owner and group, and its rights after the mask.
    struct named {
        enum class kind : std::uint8_t { user, group } what = kind::user;
        std::uint32_t id = 0;
        bool reads = false;
        bool writes = false;
    };
    std::vector<named> list{};
    bool has_list = false;  ///< Then the group bits of the mode are the list's mask, not the group's rights.
    bool group_reads = false;   ///< The owning group by the list; meaningless without one.
    bool group_writes = false;  ///< Likewise.
};

/// Whom a process is.
struct identity {
    uid_t user = 0;
    std::vector<gid_t> groups{};  ///< The effective one and the supplementary ones.
    [[nodiscard]] static identity of_this_process();
};

/// Why `who` must not take this file for a secret, as the end of a sentence that begins with its name; empty
/// if nothing speaks against it. A secret belongs to the process's own user and to nobody else, or to root,
/// who lets only the process's user or group read it: so Kubernetes (fsGroup), Docker and systemd
/// (LoadCredential) mount secrets.
[[nodiscard]] std::string objection_to(const file_access& file, const identity& who, const std::string& path);

/// Refuses a file that holds a secret unless it is a regular file (or a link to one) that passes
/// objection_to(). The message names the file and what puts it right.
[[nodiscard]] parsed<> check_private_file(const std::string& path);

/// The contents of a file that passes check_private_file(); at most 1 MiB, which no key comes near.
///
/// The check is made on the open file, so what was checked is what is read.
[[nodiscard]] parsed<std::string> read_private_file(const std::string& path);

}  // namespace tocsin
