#pragma once

#include "tests/support/throw_away_ca.hpp"
#include "tools/tocsin/child_process.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tocsin::testing {

/// An HTTP/2 server that is not of this project, as a process of its own, with a certificate that nobody else
/// trusts.
class foreign_server {
public:
    enum class kind : std::uint8_t {
        node,    ///< provider_server.js
        python,  ///< provider_server.py
        push,    ///< push_service.js
    };
    /// `plan` is the JSON object that the script takes.
    foreign_server(kind which, const std::string& plan);
    foreign_server(const foreign_server&) = delete;
    foreign_server& operator=(const foreign_server&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// What it said when it began to listen.
    [[nodiscard]] boost::json::object greeting() const { return line(0); }
    /// Who vouches for it.
    [[nodiscard]] const throw_away_ca& authority() const noexcept { return authority_; }

    /// Ends it and returns what it saw; see the script.
    [[nodiscard]] boost::json::object stop();

private:
    /// Line `number` of its output, as soon as it is there.
    [[nodiscard]] boost::json::object line(std::size_t number) const;

    throw_away_ca authority_;
    throw_away_ca::identity identity_ = authority_.issue("DNS:localhost,IP:127.0.0.1");
    temporary_file certificate_file_{identity_.certificate};
    temporary_file key_file_{identity_.key};
    temporary_file output_{""};
    std::optional<cli::child_process> process_;
    std::uint16_t port_ = 0;
};

}  // namespace tocsin::testing
