#include "tools/simulator/simulator.hpp"

#include "tools/simulator/control.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/oauth.hpp"
#include "tools/simulator/script.hpp"
#include "tools/simulator/worker.hpp"
#include "tools/simulator/workspace.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::sim {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;

namespace {

constexpr const auto& providers = all_providers;
constexpr auto accept_again_after = std::chrono::milliseconds(100);

parsed<tcp::acceptor> listen(
    asio::io_context& context, const std::string& address, std::uint16_t port, std::string_view option) {
    error_code ec;
    const auto number = asio::ip::make_address(address, ec);
    if (ec) {
        return refusal{"address", fmt::format("\"{}\" is not an IP address to listen on", address)};
    }
    const tcp::endpoint where(number, port);
    tcp::acceptor acceptor(context);
    acceptor.open(where.protocol(), ec);
    if (!ec) {
        acceptor.set_option(asio::socket_base::reuse_address(true), ec);
        acceptor.bind(where, ec);
    }
    if (!ec) {
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    }
    if (ec == asio::error::address_in_use) {
        return refusal{
            "port", fmt::format(
                        "port {} of {} is taken by another program; choose another port for {}, or 0 for any "
                        "that is free",
                        port, address, option)};
    }
    if (ec) {
        return refusal{
            "port",
            fmt::format("cannot listen on port {} of {} for {}: {}", port, address, option, ec.message())};
    }
    return acceptor;
}

/// Where the next connection is to be served.
struct seat {
    asio::any_io_executor executor;
    worker* owner = nullptr;  ///< Null: whoever accepts.
};

/// Accepts for ever; `serve` takes each socket and the seat that `place` has named for it: its executor is
/// that one's, and nobody else may touch it.
template <class Place, class Serve>
asio::awaitable<void> accept_loop(tcp::acceptor& acceptor, Place place, Serve serve) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (;;) {
        const seat here = place();
        auto [ec, socket] =
            co_await acceptor.async_accept(here.executor, asio::as_tuple(asio::use_awaitable));
        if (!ec) {
            serve(here, std::move(socket));
            continue;
        }
        if (ec == asio::error::operation_aborted) {
            co_return;
        }
        // Out of file descriptors, most likely: trying again at once would only burn the processor.
        pause.expires_after(accept_again_after);
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

}  // namespace

struct simulator::parts {
    explicit parts(workspace made) : space(std::move(made)) {}

    workspace space;
    system_time_source system_time;
    std::unique_ptr<shared_state> shared;
    bound_ports ports;

    mutable std::mutex mutex;  // Of everything to the next blank line.
    std::shared_ptr<const behaviour> current;
    std::array<counter_snapshot, provider_count> baseline;
    std::uint64_t oauth_issued_before = 0;
    std::uint64_t oauth_refused_before = 0;
    bool stopped = false;

    std::optional<asio::ssl::context> oauth_tls;
    std::unique_ptr<oauth_endpoint> oauth;
    std::unique_ptr<control_endpoint> control;
    std::vector<behaviour_step> script;
    std::vector<std::unique_ptr<worker>> workers;
    std::size_t next_worker = 0;

    // Destroyed first: its coroutines use everything above.
    std::optional<asio::io_context> context{std::in_place, 1};  // Until stop().
    std::vector<tcp::acceptor> acceptors;                       // As open_ports() lists them.
    std::jthread thread;

    [[nodiscard]] parsed<> open_ports(const simulator_options& options);
    [[nodiscard]] parsed<> open_tls(const simulator_options& options);
    void accept();
    [[nodiscard]] counter_snapshot snapshot(provider of) const;
    [[nodiscard]] json::object provider_stats(provider of, const counter_snapshot& counted) const;
};

parsed<> simulator::parts::open_ports(const simulator_options& options) {
    struct wanted_port {
        std::uint16_t port_options::*port;
        std::string_view option;
    };
    constexpr auto wanted = std::to_array<wanted_port>(
        {{&port_options::apns, "APNs"},
         {&port_options::sandbox, "the APNs sandbox"},
         {&port_options::fcm, "FCM"},
         {&port_options::webpush, "Web Push"},
         {&port_options::oauth, "OAuth"},
         {&port_options::control, "control"}});
    for (const wanted_port& one : wanted) {
        const bool control_port = one.port == &port_options::control;
        const std::string address = control_port ? "127.0.0.1" : options.address;
        const bool no_wish = one.port == &port_options::webpush && options.ports.webpush == 0;
        auto acceptor =
            listen(*context, address, no_wish ? usual_webpush_port : options.ports.*one.port, one.option);
        if (!acceptor && no_wish) {
            acceptor = listen(*context, address, 0, one.option);
        }
        if (!acceptor) {
            return acceptor.error();
        }
        error_code ec;
        ports.*one.port = acceptor->local_endpoint(ec).port();
        acceptors.push_back(*std::move(acceptor));
    }
    return {};
}

parsed<> simulator::parts::open_tls(const simulator_options& options) {
    auto http2 = make_server_context(space.ca(), options.address, protocol::http2);
    auto http1 = make_server_context(space.ca(), options.address, protocol::http1);
    if (!http2 || !http1) {
        return refusal{"openssl", "OpenSSL cannot make the servers' certificate"};
    }
    shared->tls = *std::move(http2);
    oauth_tls.emplace(http1->release());
    return {};
}

void simulator::parts::accept() {
    for (const provider which : providers) {
        // In turn, not by a hash: few connections would leave some threads without any.
        auto place = [this] {
            worker& next = *workers[next_worker];
            next_worker = (next_worker + 1) % workers.size();
            return seat{next.executor(), &next};
        };
        auto serve = [which](const seat& where, tcp::socket socket) {
            where.owner->adopt(which, std::move(socket));
        };
        asio::co_spawn(
            *context, accept_loop(acceptors[static_cast<std::size_t>(which)], place, serve), asio::detached);
    }
    auto here = [this] { return seat{context->get_executor(), nullptr}; };
    auto serve_oauth = [this](const seat&, tcp::socket socket) {
        asio::co_spawn(*context, serve_https(std::move(socket), *oauth_tls, *oauth), asio::detached);
    };
    auto serve_control = [this](const seat&, tcp::socket socket) {
        asio::co_spawn(*context, serve_http(std::move(socket), *control), asio::detached);
    };
    asio::co_spawn(*context, accept_loop(acceptors[provider_count], here, serve_oauth), asio::detached);
    asio::co_spawn(*context, accept_loop(acceptors[provider_count + 1], here, serve_control), asio::detached);
}

simulator::simulator(std::unique_ptr<parts> made) noexcept : parts_(std::move(made)) {}

simulator::~simulator() {
    stop();
}

parsed<std::unique_ptr<simulator>> simulator::start(const simulator_options& options) {
    auto space = workspace::open(options);
    if (!space) {
        return space.error();
    }
    auto script = read_script_file(options.script_file, options.initial);
    if (!script) {
        return script.error();
    }
    std::unique_ptr<simulator> made(new simulator(std::make_unique<parts>(*std::move(space))));
    parts& all = *made->parts_;
    all.script = *std::move(script);
    all.shared = std::make_unique<shared_state>(
        options, all.space.known(), options.time != nullptr ? *options.time : all.system_time);
    if (auto opened = all.open_ports(options); !opened) {
        return opened.error();
    }
    all.shared->push_origin = push_origin(all.ports.webpush);
    if (auto secured = all.open_tls(options); !secured) {
        return secured.error();
    }
    if (auto written = all.space.write_configuration(options, all.ports); !written) {
        return written.error();
    }
    all.current = std::make_shared<const behaviour>(options.initial);
    all.oauth = std::make_unique<oauth_endpoint>(
        all.space.known(), all.shared->time, token_uri(options.address, all.ports.oauth));
    all.oauth->set_behaviour(options.initial.oauth);
    all.control = std::make_unique<control_endpoint>(*made);
    for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
        all.workers.push_back(std::make_unique<worker>(*all.shared, all.current, i));
        all.workers.back()->start();
    }
    all.accept();
    asio::co_spawn(*all.context, run_script(all.script, *made), asio::detached);
    all.thread = std::jthread([&all] { all.context->run(); });
    return made;
}

void simulator::stop() noexcept {
    {
        const std::lock_guard lock(parts_->mutex);
        if (std::exchange(parts_->stopped, true)) {
            return;
        }
    }
    parts_->context->stop();
    if (parts_->thread.joinable()) {
        parts_->thread.join();
    }
    // Closed here and not with the object: whoever is still connected, or waits to be accepted, would
    // wait until its own patience ends, where a port that is gone refuses at once. With the context go
    // its coroutines, and with them the sockets of OAuth, of control, and of what was accepted last.
    parts_->acceptors.clear();
    parts_->context.reset();
    for (const auto& one : parts_->workers) {
        one->stop();
    }
}

const bound_ports& simulator::ports() const noexcept {
    return parts_->ports;
}
std::filesystem::path simulator::configuration_file() const {
    return parts_->space.directory() / "tocsin.toml";
}
std::filesystem::path simulator::ca_file() const {
    return parts_->space.directory() / "ca.pem";
}

browser simulator::subscriber(std::uint64_t number) const {
    return parts_->space.known().subscribers->at(number, parts_->shared->push_origin);
}
std::string simulator::subscription(std::uint64_t number) const {
    return subscription_json(subscriber(number));
}

counter_snapshot simulator::parts::snapshot(provider of) const {
    counter_snapshot sum;
    for (const auto& one : workers) {
        sum.add(one->counters(of));
    }
    return sum;
}

json::object simulator::parts::provider_stats(provider of, const counter_snapshot& counted) const {
    json::object out;
    for (std::size_t i = 0; i < tally_names.size(); ++i) {
        out[tally_names[i]] = counted.tallies[i];
    }
    json::object reasons;
    const auto rows = reasons_of(of);
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (counted.by_reason[i] != 0) {
            reasons[rows[i].name] = counted.by_reason[i];
        }
    }
    out["by_reason"] = std::move(reasons);
    json::object owners;
    for (std::size_t i = 0; i < counted.by_owner.size(); ++i) {
        switch (of) {
            case provider::fcm: owners[shared->known.projects[i].project_id] = counted.by_owner[i]; break;
            case provider::webpush: owners[shared->known.vapid_keys[i].app] = counted.by_owner[i]; break;
            case provider::apns:
            case provider::sandbox: owners[shared->known.topics[i].topic] = counted.by_owner[i]; break;
        }
    }
    std::string_view by = "accepted_by_topic";
    if (of == provider::fcm) {
        by = "accepted_by_project";
    } else if (of == provider::webpush) {
        by = "accepted_by_app";
    }
    out[by] = std::move(owners);
    const ledger_totals totals = shared->ledgers[static_cast<std::size_t>(of)].totals();
    out["tokens_distinct"] = totals.tokens;
    out["tokens_accepted"] = totals.accepted;
    out["tokens_accepted_twice"] = totals.accepted_twice;
    out["acceptances_repeated"] = totals.repeats;
    return out;
}

json::object simulator::stats() const {
    const std::lock_guard lock(parts_->mutex);
    json::object out;
    counter_snapshot all;
    for (const provider which : providers) {
        counter_snapshot counted = parts_->snapshot(which);
        counted.subtract(parts_->baseline[static_cast<std::size_t>(which)]);
        out[name_of(which)] = parts_->provider_stats(which, counted);
        for (std::size_t i = 0; i < all.tallies.size(); ++i) {
            all.tallies[i] += counted.tallies[i];
        }
    }
    out["oauth"] = json::object{
        {"issued", parts_->oauth->issued() - parts_->oauth_issued_before},
        {"refused", parts_->oauth->refused() - parts_->oauth_refused_before}};
    out["connections"] = all.of(tally::connections);
    out["goaways"] = all.of(tally::goaways);
    out["stream_limit_violations"] = all.of(tally::stream_limit_violations);
    return out;
}

token_counts simulator::counts(provider of, std::string_view token) const {
    return parts_->shared->ledgers[static_cast<std::size_t>(of)].counts(token_key(token));
}
ledger_totals simulator::totals(provider of) const {
    return parts_->shared->ledgers[static_cast<std::size_t>(of)].totals();
}
json::array simulator::received(std::optional<provider> of, std::size_t limit) const {
    return parts_->shared->records.newest(of, limit);
}
behaviour simulator::current_behaviour() const {
    const std::lock_guard lock(parts_->mutex);
    return *parts_->current;
}

parsed<> simulator::change(const json::value& document) {
    const std::lock_guard lock(parts_->mutex);
    auto changed = change_behaviour(*parts_->current, document);
    if (!changed) {
        return changed.error();
    }
    if (parts_->stopped) {
        return refusal{"stopped", "the simulator has been stopped"};
    }
    for (const provider which : providers) {
        const auto& before = parts_->current->of(which).scripts;
        for (auto& [key, script] : changed->next.of(which).scripts) {
            // A script counts from when it was set.
            const auto known = before.find(key);
            if (known == before.end() || known->second != script) {
                script.first = parts_->shared->ledgers[static_cast<std::size_t>(which)].counts(key).received;
            }
        }
    }
    for (const action& wanted : changed->now) {
        if (wanted.what == action::kind::revoke_tokens) {
            parts_->shared->access_tokens_valid_from_ms =
                parts_->shared->time.wall_now().time_since_epoch().count() + 1;
        }
    }
    parts_->current = std::make_shared<const behaviour>(std::move(changed->next));
    parts_->oauth->set_behaviour(parts_->current->oauth);
    std::latch done(static_cast<std::ptrdiff_t>(parts_->workers.size()));
    for (const auto& one : parts_->workers) {
        one->apply(parts_->current, changed->now, done);
    }
    done.wait();
    return {};
}

void simulator::reset() {
    const std::lock_guard lock(parts_->mutex);
    for (const provider which : providers) {
        parts_->baseline[static_cast<std::size_t>(which)] = parts_->snapshot(which);
        parts_->shared->ledgers[static_cast<std::size_t>(which)].clear();
    }
    parts_->oauth_issued_before = parts_->oauth->issued();
    parts_->oauth_refused_before = parts_->oauth->refused();
    parts_->shared->records.clear();
}

}  // namespace tocsin::sim
