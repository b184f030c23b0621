#pragma once

#include "engine/core/clock.hpp"
#include "tools/simulator/behaviour.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tocsin::sim {

/// One app as both providers know it: becomes an [[app]] of tocsin.toml, with keys of its own.
struct app_options {
    std::string id;
    std::vector<std::string> communes;  ///< "*" or INSEE codes.
    std::string topic;                  ///< APNs bundle id.
    std::string team_id;                ///< APNs, 10 characters.
    std::string key_id;                 ///< APNs, 10 characters; its key is AuthKey_<key_id>.p8.
    std::string project_id;             ///< FCM.
    bool topic_specific_key = false;    ///< The key is for this topic alone, else for all topics of the team.
    std::string key_environment;     ///< "production" or "sandbox" for a key of one environment; empty: both.
    bool mutual_tls = false;         ///< tocsin.toml authenticates with the certificate instead of the key.
    std::uint32_t apns_rate = 0;     ///< Written to tocsin.toml; 0: no limit.
    std::uint32_t fcm_rate = 0;      ///< Written to tocsin.toml; 0: no limit.
    std::uint32_t webpush_rate = 0;  ///< Written to tocsin.toml; 0: no limit.
};

/// `mairies` (every commune) and `dijon` (21231, with a team, key, topic and project of its own).
[[nodiscard]] std::vector<app_options> default_apps();
/// The app of one commune alone: `ville-<INSEE code>`, with a team, key, topic and project of its own.
[[nodiscard]] app_options dedicated_app(const std::string& commune);

constexpr std::uint16_t usual_webpush_port = 8448;

/// TCP ports; 0: any free one.
struct port_options {
    std::uint16_t apns = 8443;
    std::uint16_t sandbox = 8444;
    std::uint16_t fcm = 8445;
    std::uint16_t oauth = 8446;
    std::uint16_t control = 8447;
    std::uint16_t webpush = 0;  ///< 0: the usual one, if that is free.
};

/// How answers that are ready at the same time are written.
enum class answer_pattern : std::uint8_t {
    batched,                ///< Up to 64 KiB in full TLS records: cheapest for both sides.
    one_record_per_answer,  ///< A TLS record each, written together: what a busy gateway sends.
    one_write_per_answer,   ///< A TLS record and a write each: what an unhurried gateway sends.
};

/// What `tocsin sim` can be told. Every default is what a first run wants.
struct simulator_options {
    /// Receives the certificates, keys and tocsin.toml; made with mode 0700 when it is missing, used
    /// again (same keys) when it is from an earlier run.
    std::filesystem::path directory = "tocsin-sim";
    std::string address = "127.0.0.1";  ///< What the provider ports listen on; control is always 127.0.0.1.
    port_options ports;
    unsigned threads = 1;  ///< That serve APNs and FCM; control and OAuth have one more of their own.
    std::vector<app_options> apps = default_apps();

    std::string redis_url = "redis://127.0.0.1:6379/0";  ///< For tocsin.toml.
    std::string redis_prefix = "tocsin";                 ///< For tocsin.toml.
    std::string admin_listen = "127.0.0.1:9464";         ///< For tocsin.toml; "" turns it off.

    answer_pattern pattern = answer_pattern::batched;
    /// Answers wait for one another this long at most when latency spreads them; 0: not at all.
    std::chrono::microseconds gather{1000};
    bool single_stream_until_authenticated = true;  ///< APNs with provider tokens, as Apple does.
    std::uint32_t apns_streams = 1000;              ///< MAX_CONCURRENT_STREAMS afterwards.
    std::uint32_t fcm_streams = 100;
    std::uint32_t webpush_streams = 100;
    bool webpush = false;  ///< tocsin.toml has [app.webpush] for each app. The port is open in any case.
    std::uint32_t apns_window = 65'535;  ///< Stream and connection window of APNs, bytes.
    std::uint32_t fcm_window = 1'048'576;
    std::uint32_t idle_pings =
        2;  ///< FCM ends a connection that sends more without a request; 0: any number.

    behaviour initial;                  ///< What POST /behaviour changes later.
    std::filesystem::path script_file;  ///< JSON: [{"after_ms": 5000, …members of POST /behaviour…}, …].
    std::size_t record_limit = 1000;    ///< Requests that GET /received can show.

    const time_source* time = nullptr;  ///< For ages of credentials; not owned; default: the system's.
};

/// The ports in use.
using bound_ports = port_options;

}  // namespace tocsin::sim
