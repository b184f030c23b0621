#include "tests/interop/node_server.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

// Only ends a test that hangs: Node needs a moment to start on a busy machine.
constexpr auto patience = 30s;

}  // namespace

node_server::node_server(const std::string& plan) {
    auto started = cli::child_process::start(
        "node", {TOCSIN_INTEROP_SERVER, certificate_file_.path(), key_file_.path(), plan}, output_.path());
    if (started.has_error()) {
        throw std::runtime_error(started.error().message);
    }
    process_.emplace(std::move(*started));
    port_ = line(0).at("port").to_number<std::uint16_t>();
}

boost::json::object node_server::stop() {
    if (const int status = process_->stop(10s); status != 0) {
        throw std::runtime_error("node ended with status " + std::to_string(status));
    }
    return line(1);
}

boost::json::object node_server::line(std::size_t number) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
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
                    throw std::runtime_error("node said: " + text);
                }
                return value.get_object();
            }
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("node said nothing; see " + output_.path());
        }
        std::this_thread::sleep_for(5ms);
    }
}

}  // namespace tocsin::testing
