#include "tools/tocsin/private_stage.hpp"

#include "tools/tocsin/admin_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_patience = 15s;

fs::path redis_socket(const fs::path& directory) {
    return directory / "redis.sock";
}

}  // namespace

parsed<work_directory> work_directory::open(const std::string& keep, const std::string& name) {
    if (!keep.empty()) {
        std::error_code failed;
        fs::create_directories(keep, failed);
        if (failed) {
            return refusal{"keep", "cannot make " + keep + ": " + failed.message()};
        }
        return work_directory(fs::absolute(keep), false);
    }
    std::string pattern = (fs::temp_directory_path() / ("tocsin-" + name + "-XXXXXX")).string();
    if (mkdtemp(pattern.data()) == nullptr) {
        return refusal{"directory", "cannot make a directory for temporary files at " + pattern};
    }
    return work_directory(pattern, true);
}

work_directory::work_directory(work_directory&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}

work_directory::~work_directory() {
    if (temporary_) {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
}

bool work_directory::leave_behind() noexcept {
    return std::exchange(temporary_, false);
}

parsed<child_process> start_and_await(
    const std::string& program, const std::vector<std::string>& arguments, const fs::path& log,
    const std::function<bool()>& ready, const std::string& otherwise) {
    auto started = child_process::start(program, arguments, log);
    const auto deadline = std::chrono::steady_clock::now() + start_patience;
    while (started.has_value() && !ready()) {
        if (!started->running() || std::chrono::steady_clock::now() > deadline) {
            return refusal{"start", otherwise + "; see " + log.string()};
        }
        std::this_thread::sleep_for(5ms);
    }
    return started;
}

std::string private_redis_url(const fs::path& directory) {
    return "unix://" + redis_socket(directory).string();
}

parsed<child_process> start_private_redis(const fs::path& directory) {
    const fs::path socket = redis_socket(directory);
    // Left by an earlier run in a directory that is kept, it would look like a server that is ready.
    std::error_code ignored;
    fs::remove(socket, ignored);
    return start_and_await(
        "redis-server",
        {"--port", "0", "--unixsocket", socket.string(), "--unixsocketperm", "700", "--save", "",
         "--appendonly", "no", "--daemonize", "no", "--dir", directory.string(), "--hash-max-ziplist-entries",
         "256", "--hash-max-ziplist-value", "2048"},
        directory / "redis.log", [&] { return fs::exists(socket); }, "redis-server did not start");
}

parsed<child_process> start_private_engine(
    const fs::path& configuration, const std::string& admin, const fs::path& log,
    const std::vector<std::string>& more_flags) {
    std::vector<std::string> arguments{"serve", "--config", configuration.string()};
    arguments.insert(arguments.end(), more_flags.begin(), more_flags.end());
    return start_and_await(
        own_executable(), arguments, log, [&] { return admin_get(admin, "/readyz").has_value(); },
        "the engine did not get ready");
}

std::string own_executable() {
    return fs::read_symlink("/proc/self/exe").string();
}

std::uint16_t free_port() {
    asio::io_context loop(1);
    const asio::ip::tcp::acceptor probe(loop, {asio::ip::address_v4::loopback(), 0});
    return probe.local_endpoint().port();
}

}  // namespace tocsin::cli
