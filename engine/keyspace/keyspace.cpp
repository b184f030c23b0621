#include "engine/keyspace/keyspace.hpp"

namespace tocsin {

std::string keyspace::of_event(std::string_view event, std::string_view what) const {
    std::string key;
    key.reserve(prefix_.size() + event.size() + what.size() + 5);
    key += prefix_;
    key += ":{e:";
    key += event;
    key += "}:";
    key += what;
    return key;
}

std::string keyspace::roster_bucket(
    std::string_view app, platform where, std::string_view territory, std::uint32_t generation,
    std::uint32_t bucket) const {
    std::string key;
    key.reserve(prefix_.size() + app.size() + territory.size() + 24);
    key += prefix_;
    key += ":{r:";
    key += app;
    key += ':';
    key += row_of(where).letter;
    key += ':';
    key += territory;
    if (generation != 1) {
        key += '@';
        key += std::to_string(generation);
    }
    key += "}:";
    key += std::to_string(bucket);
    return key;
}

std::string keyspace::index_bucket(std::string_view app, platform where, std::uint32_t bucket) const {
    std::string key;
    key.reserve(prefix_.size() + app.size() + 16);
    key += prefix_;
    key += ":i:";
    key += app;
    key += ':';
    key += row_of(where).letter;
    key += ':';
    key += std::to_string(bucket);
    return key;
}

std::string keyspace::of_removals(std::string_view app, platform where, std::string_view what) const {
    std::string key = prefix_;
    key += ":{removals:";
    key += app;
    key += '/';
    key += to_string(where);
    key += "}:";
    key += what;
    return key;
}

std::string keyspace::beside(std::string_view key, std::string_view what, std::string_view which) const {
    // If the prefix has braces, they come first here too, and all keys share a slot anyway.
    std::string out;
    out.reserve(prefix_.size() + key.size() + what.size() + which.size() + 5);
    out += prefix_;
    out += ':';
    out += what;
    out += ":{";
    out += key;
    out += "}:";
    out += which;
    return out;
}

}  // namespace tocsin
