#include "tests/interop/foreign_server.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

// Only ends a test that hangs: they need a moment to start on a busy machine.
constexpr auto patience = 30s;

/// Wakes who waits for a file to be written to. What is written after this was made is not missed.
class change_watch {
public:
    explicit change_watch(const std::string& path) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        if (fd_ < 0 || inotify_add_watch(fd_, path.c_str(), IN_MODIFY) < 0) {
            throw std::runtime_error("cannot watch " + path);
        }
    }
    change_watch(const change_watch&) = delete;
    change_watch& operator=(const change_watch&) = delete;
    ~change_watch() { close(fd_); }

    void wait_until(std::chrono::steady_clock::time_point when) const {
        const auto rest =
            std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now());
        pollfd changed{fd_, POLLIN, 0};
        poll(&changed, 1, static_cast<int>(std::max<std::int64_t>(rest.count(), 0)));
        std::array<char, 4'096> events;  // All of them mean the same.
        while (read(fd_, events.data(), events.size()) > 0) {
        }
    }

private:
    int fd_;
};

}  // namespace

foreign_server::foreign_server(kind which, const std::string& plan) {
    const std::string folder = TOCSIN_INTEROP_FOLDER;
    // Debian's Python: another one in the PATH would not have Debian's packages.
    const std::string program = which == kind::python ? "/usr/bin/python3" : "node";
    const std::string script = folder + (which == kind::node     ? "/provider_server.js"
                                         : which == kind::python ? "/provider_server.py"
                                                                 : "/push_service.js");
    auto started = cli::child_process::start(
        program, {script, certificate_file_.path(), key_file_.path(), plan}, output_.path());
    if (started.has_error()) {
        throw std::runtime_error(started.error().message);
    }
    process_.emplace(std::move(*started));
    const boost::json::object said = line(0);
    port_ = (which == kind::push ? said.at("ports").at(0) : said.at("port")).to_number<std::uint16_t>();
}

boost::json::object foreign_server::stop() {
    if (const int status = process_->stop(10s); status != 0) {
        throw std::runtime_error("the server ended with status " + std::to_string(status));
    }
    return line(1);
}

boost::json::object foreign_server::line(std::size_t number) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const change_watch changes(output_.path());
    for (;;) {
        std::ifstream in(output_.path());
        std::string text;
        std::size_t seen = 0;
        // A line that has no end yet is still being written.
        while (std::getline(in, text) && !in.eof()) {
            if (seen++ == number) {
                boost::system::error_code ec;
                const auto value = boost::json::parse(text, ec);
                if (ec || !value.is_object()) {
                    throw std::runtime_error("the server said: " + text);
                }
                return value.get_object();
            }
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("the server said nothing; see " + output_.path());
        }
        changes.wait_until(deadline);
    }
}

}  // namespace tocsin::testing
