#include "providers/auth/pem_key.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/vapid_key.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

/// Never replaces a file: every subscription to a key that is lost is lost with it.
void write_new_file(const std::string& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        throw command_end(
            exit_failed,
            errno == EEXIST
                ? path + " is there already, and browsers may have subscribed with it: name another file"
                : path + " cannot be written: " + std::generic_category().message(errno));
    }
    bool written = true;
    while (written && !text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        written = count > 0;
        text.remove_prefix(written ? static_cast<std::size_t>(count) : 0);
    }
    const int problem = errno;
    written = ::fsync(file) == 0 && written;
    ::close(file);
    if (!written) {
        ::unlink(path.c_str());
        throw command_end(
            exit_failed, path + " cannot be written: " + std::generic_category().message(problem));
    }
}

int make_key(const common_options& common, const std::string& file) {
    const std::string pem = auth::make_p256_pem();
    const auto key = application_server_key(pem, file);
    if (key.has_error()) {
        throw command_end(exit_failed, "OpenSSL cannot make a key on P-256");
    }
    write_new_file(file, pem);
    print_vapid_key(file, *key, common.json);
    return exit_ok;
}

}  // namespace

command vapid_new_command() {
    const auto file = std::make_shared<std::string>();
    return {
        .name = "new",
        .group = command_group::devices,
        .summary = "Make a key; prints its public half.",
        .examples = "tocsin vapid new vapid.pem\n",
        .options = {option("FILE", *file, "Where the private key goes; it must not be there yet")
                        .value("FILE")
                        .required()},
        .details =
            "Writes a P-256 private key (PEM, mode 600) and prints the public key in the form that "
            "`PushManager.subscribe()` takes as `applicationServerKey`. `--json`: `file`, "
            "`application_server_key`.",
        .run = [file](const common_options& common) { return make_key(common, *file); },
    };
}

}  // namespace tocsin::cli
