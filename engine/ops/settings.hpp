#pragma once

#include "engine/platform/platform.hpp"
#include "engine/platform/platform_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

struct redis_settings {
    std::string url = "redis://127.0.0.1:6379/0";
    std::string prefix = "tocsin";
    std::string ca_file;
    std::string certificate_file;  ///< Shown to Redis, if it asks for one (tls-auth-clients).
    std::string certificate_key_file;
};

struct engine_settings {
    std::string instance;     ///< Consumer name; empty in the file: the host name is put here.
    std::size_t threads = 0;  ///< 0 in the file: the number of cores is put here.
    std::chrono::milliseconds shutdown_timeout{25'000};
    std::size_t pages_in_flight = 16;             ///< Per thread: what can be sent twice after a crash.
    std::chrono::milliseconds lease{30'000};      ///< A shard without progress for this long is taken over.
    std::chrono::milliseconds replica_wait{100};  ///< For a replica of Redis, before a page is sent; 0: not.
    std::size_t max_attempts = 5;                 ///< Charged tries per push before it fails.
    std::chrono::milliseconds ramp_up{60'000};    ///< From idle to the whole of a rate; 0: at once.
    std::size_t max_takeovers = 20;               ///< Of a shard without progress before it is put aside.
    std::chrono::milliseconds default_ttl{4 * 3'600'000};
    std::size_t results_max_length = 100'000;  ///< MAXLEN ~ of the streams that the engine writes.
    std::size_t feedback_max_length = 1'000'000;
    std::size_t dead_letters_max_length = 100'000;
    std::chrono::milliseconds event_retention{24 * 3'600'000};  ///< How long ids and ledgers are kept.
    /// After the end of an event whose apps report on it: how long they may.
    std::chrono::milliseconds receipts_window{3 * 3'600'000};
    // When an operator is asked before devices are removed that a provider calls gone.
    std::uint64_t brake_floor = 1'000;     ///< Not for so many of an app on a platform; 0: never.
    std::uint64_t brake_share = 25;        ///< Per cent of the answers.
    std::uint64_t brake_times = 4;         ///< So many times the usual share.
    std::uint64_t brake_first_share = 90;  ///< Per cent, of an app that little is known of.
    /// How long removed devices can be brought back; 0: not at all.
    std::chrono::milliseconds removed_kept{7 * 24 * 3'600'000};
};

struct admin_settings {
    std::string listen = "127.0.0.1:9464";  ///< Empty: no admin server.
    std::vector<std::string> hosts;         ///< Names that requests may ask for, beside private ones.
};

struct log_settings {
    std::string level = "info";
    std::string format = "auto";  ///< auto: text on a terminal, JSON elsewhere; text; json.
};

struct territories_settings {
    std::string file;  ///< Empty: the bundled CSV.
};

/// No quiet hours: both texts are empty.
struct quiet_hours_settings {
    std::string from;  ///< "21:30", by the clock of each territory.
    std::string to;
    std::vector<std::string> categories;       ///< Empty: all.
    std::vector<std::string> priorities;       ///< Empty: all but critical.
    std::chrono::milliseconds spread{30'000};  ///< Over which what waited leaves.
};

struct app_settings {
    std::string id;
    std::vector<std::string> communes;  ///< INSEE codes, or "*" alone: every commune.
    /// On which platforms it is, each as its provider's kind of settings.
    std::map<platform, std::shared_ptr<platform_settings>> platforms;

    /// What is said of the platform of `Settings` (Settings::kind); null if the app is not on it.
    template <class Settings>
    [[nodiscard]] Settings* find() const {
        const auto found = platforms.find(Settings::kind);
        return found == platforms.end() ? nullptr : static_cast<Settings*>(found->second.get());
    }
    /// Puts the app on the platform of `Settings`.
    template <class Settings>
    Settings& add() {
        auto made = std::make_shared<Settings>();
        Settings& out = *made;
        platforms[Settings::kind] = std::move(made);
        return out;
    }
};

class config_origins;

/// The whole configuration, checked: every path absolute, every key file readable by its owner alone.
struct settings {
    std::filesystem::path file;  ///< Where it came from; empty: defaults only.
    redis_settings redis;
    engine_settings engine;
    admin_settings admin;
    log_settings log;
    territories_settings territories;
    quiet_hours_settings quiet_hours;
    std::vector<app_settings> apps;
    std::shared_ptr<const config_origins> origins;  ///< For problem_of(); may be null.
};

}  // namespace tocsin
