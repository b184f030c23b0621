#pragma once

#include "engine/keyspace/keyspace.hpp"

#include <array>
#include <string>
#include <string_view>

namespace tocsin {

/// A stream that engines read: what backends write to it, and under which name it is counted and shown.
struct incoming_stream {
    std::string_view name;
    std::string_view field;  ///< Of an entry: holds the document.
    std::string (keyspace::*key)() const;

    [[nodiscard]] std::string key_in(const keyspace& keys) const { return (keys.*key)(); }
};

/// All of them. Metrics, status, the page and `dead-letters retry` go by this list.
inline constexpr std::array incoming_streams{
    incoming_stream{"events", "event", &keyspace::events},
    incoming_stream{"registrations", "registration", &keyspace::registrations},
    incoming_stream{"receipts", "receipt", &keyspace::receipts},
};

}  // namespace tocsin
