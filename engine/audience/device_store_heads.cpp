#include "engine/audience/device_change_work.hpp"
#include "engine/audience/device_store.hpp"

#include <algorithm>
#include <set>
#include <utility>

// The heads that changes rely on: how many buckets each roster and each index has. They are read once, and
// read again when Redis says something else.

namespace tocsin {

namespace asio = boost::asio;

std::string device_store::change_batch::cache_key(std::string_view app, std::string_view field) {
    return std::string(app) + "/" + std::string(field);
}

std::optional<roster_head> device_store::change_batch::known_head(
    std::string_view app, platform on, const territory& where) const {
    const auto head = heads_.find(cache_key(app, roster_head_field(on, where)));
    return head == heads_.end() ? std::nullopt : std::optional(head->second);
}

std::optional<std::string> device_store::change_batch::roster_key(
    const pending& item, const territory& where) const {
    const device_change& change = *item.change;
    const auto head = known_head(change.app, change.where, where);
    if (!head) {
        return std::nullopt;
    }
    return store_.keys_.roster_bucket(
        change.app, change.where, to_string(where), head->generation, item.hash.bucket(head->buckets));
}

std::optional<std::string> device_store::change_batch::index_key(const pending& item) const {
    const device_change& change = *item.change;
    const auto index = heads_.find(cache_key(change.app, "index"));
    if (index == heads_.end()) {
        return std::nullopt;
    }
    return store_.keys_.index_bucket(change.app, change.where, item.hash.bucket(index->second.buckets));
}

bool device_store::change_batch::relies_on(const pending& item, const std::set<std::string>& heads) {
    const device_change& change = *item.change;
    const bool put = change.what == device_change::action::put;
    return heads.contains(cache_key(change.app, "index")) ||
           (put && std::ranges::any_of(change.which.follow, [&](const territory& where) {
                return heads.contains(cache_key(change.app, roster_head_field(change.where, where)));
            }));
}

/// The heads that are to be asked for, two replies each.
struct device_store::change_batch::head_question {
    struct wanted {
        std::string app;
        std::string field;
    };
    std::vector<wanted> missing{};
    std::set<std::string> seen{};
    redis::request request;
};

void device_store::change_batch::ask_for_head(
    head_question& what, const std::string& app, const std::string& field, std::uint32_t buckets) {
    std::string key = cache_key(app, field);
    if (heads_.contains(key)) {
        return;
    }
    if (const auto read = store_.heads_.find(key); read != store_.heads_.end()) {
        heads_.emplace(std::move(key), read->second);
        return;
    }
    if (!what.seen.insert(std::move(key)).second) {
        return;
    }
    const std::string hash = store_.keys_.rosters(app);
    if (buckets != 0) {
        what.request.add("HSETNX", hash, field, encode_roster_head({.buckets = buckets}));
    } else {
        what.request.add("HLEN", hash);  // Keeps two replies a head; a removal makes nothing.
    }
    what.request.add("HGET", hash, field);
    what.missing.push_back({app, field});
}

void device_store::change_batch::ask_for_heads(head_question& what, const pending& item) {
    const device_change& change = *item.change;
    const bool put = change.what == device_change::action::put;
    const std::uint64_t served = put ? store_.sizing_.population_served(change.app) : 0;
    ask_for_head(
        what, change.app, "index",
        put ? static_cast<std::uint32_t>(std::max<std::uint64_t>(1, served / inhabitants_per_index_bucket))
            : 0);
    if (put) {
        for (const territory& where : change.which.follow) {
            ask_for_head(
                what, change.app, roster_head_field(change.where, where),
                store_.buckets_for(change.where, where));
        }
    }
    for (const territory& where : item.before) {
        ask_for_head(what, change.app, roster_head_field(change.where, where), 0);
    }
}

asio::awaitable<result<>> device_store::change_batch::learn_heads() {
    head_question what;
    for (const pending& item : work_) {
        if (!item.done) {
            ask_for_heads(what, item);
        }
    }
    if (what.missing.empty()) {
        co_return result<>();
    }
    const auto answers = co_await store_.ask(std::move(what.request));
    if (answers.has_error()) {
        co_return answers.error();
    }
    std::set<std::string> damaged;
    for (std::size_t i = 0; i < what.missing.size(); ++i) {
        const auto& [app, field] = what.missing[i];
        const redis::reply value = (*answers)[2 * i + 1];
        if (const auto head = decode_roster_head(value.text())) {
            std::string key = cache_key(app, field);
            if (!store_.redis_.is_cluster()) {
                store_.heads_.insert_or_assign(key, *head);
            }
            heads_.insert_or_assign(std::move(key), *head);
        } else if (!value.is_nil()) {
            damaged.insert(cache_key(app, field));
        }
    }
    // Written without it, a device would stand where nobody looks.
    for (pending& item : work_) {
        if (!item.done && relies_on(item, damaged)) {
            item.done = true;
            item.outcome = change_outcome::damaged;
        }
    }
    co_return result<>();
}

void device_store::change_batch::forget_heads(const std::string& app) {
    const std::string prefix = cache_key(app, "");
    const auto is_of_app = [&](const auto& one) { return one.first.starts_with(prefix); };
    erase_if(heads_, is_of_app);
    erase_if(store_.heads_, is_of_app);
}

}  // namespace tocsin
