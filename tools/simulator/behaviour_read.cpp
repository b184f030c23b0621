#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/behaviour_words.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/json_reader.hpp"

#include <array>
#include <utility>

namespace tocsin::sim {
namespace {

namespace json = boost::json;
using namespace words;

template <class Enum, std::size_t N>
void choose(json_reader& from, std::string_view name, const std::array<word<Enum>, N>& words, Enum& out) {
    std::string given;
    if (from.find(name) == nullptr) {
        return;
    }
    from.text(name, given);
    std::string choices;
    for (const auto& one : words) {
        if (one.text == given) {
            out = one.value;
            return;
        }
        choices += (choices.empty() ? "" : ", ") + std::string(one.text);
    }
    from.fail(name, "must be one of " + choices);
}

void read_reason(json_reader& from, provider which, reason_index& out) {
    std::string name;
    from.text("reason", name);
    if (const auto found = find_reason(which, name)) {
        out = *found;
        return;
    }
    std::vector<std::string_view> names;
    for (const reason_row& row : reasons_of(which)) {
        names.push_back(row.name);
    }
    const auto meant = nearest(name, names);
    from.fail(
        "reason", "is not a reason of " + std::string(name_of(which)) +
                      (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
}

void read_latency(json_reader& parent, latency& out) {
    const auto* given = parent.find("latency");
    if (given == nullptr) {
        return;
    }
    constexpr double most = 600'000;
    json_reader from(*given, parent.where("latency"));
    latency next;
    if (from.find("fixed_ms") != nullptr) {
        from.number("fixed_ms", 0, most, next.first);
        next.kind = next.first > 0 ? latency::shape::fixed : latency::shape::none;
    } else if (from.find("min_ms") != nullptr || from.find("max_ms") != nullptr) {
        next.kind = latency::shape::uniform;
        from.number("min_ms", 0, most, next.first);
        from.number("max_ms", next.first, most, next.second);
    } else if (from.find("median_ms") != nullptr || from.find("p99_ms") != nullptr) {
        next.kind = latency::shape::lognormal;
        from.number("median_ms", 0.001, most, next.first);
        from.number("p99_ms", next.first, most, next.second);
        if (next.first <= 0 || next.second < next.first) {
            from.fail("", "needs both median_ms and p99_ms, the second at least the first");
        }
    }
    parent.adopt(from.problem());
    out = next;
}

/// A number, or a list of numbers to choose from.
void read_codes(json_reader& from, std::string_view name, std::vector<std::uint32_t>& out) {
    const auto* given = from.find(name);
    if (given == nullptr) {
        return;
    }
    const json::array one{*given};
    const json::array& list = given->is_array() ? given->get_array() : one;
    std::vector<std::uint32_t> next;
    for (const json::value& code : list) {
        error_code ec;
        next.push_back(code.to_number<std::uint32_t>(ec));
        if (ec) {
            next.clear();
            break;
        }
    }
    if (next.empty()) {
        from.fail(name, "must be an error code of HTTP/2, or a list of some");
        return;
    }
    out = std::move(next);
}

/// A word for all errors, or shares of the 5xx.
void read_bodies(json_reader& from, std::string_view name, body_mix& out) {
    const auto* given = from.find(name);
    if (given == nullptr) {
        return;
    }
    body_mix next;
    if (given->is_object()) {
        json_reader shares(*given, from.where(name));
        shares.share("missing", next.missing);
        shares.share("split", next.split);
        shares.share("html", next.html);
        from.adopt(shares.problem());
        if (next.missing + next.split + next.html > 1) {
            from.fail(name, "has shares that add up to more than 1");
        }
    } else {
        choose(from, name, body_words, next.all);
    }
    out = next;
}

void read_faults(json_reader& parent, faults& out) {
    const auto* given = parent.find("faults");
    if (given == nullptr) {
        return;
    }
    json_reader from(*given, parent.where("faults"));
    from.share("refuse_share", out.refuse_share);
    from.share("reset_share", out.reset_share);
    read_codes(from, "reset_code", out.reset_codes);
    from.share("silence_share", out.silence_share);
    from.share("close_share", out.close_share);
    from.integer("close_after_requests", out.close_after);
    from.integer("goaway_after_requests", out.goaway_after);
    from.flag("stall_windows", out.stall_windows);
    from.share("slow_tls_share", out.slow_tls_share);
    from.integer("slow_tls_ms", out.slow_tls_ms, 600'000);
    read_bodies(from, "error_bodies", out.bodies);
    choose(from, "wedge_after_expired_token", wedges, out.after_expired_token);
    parent.adopt(from.problem());
}

void read_errors(json_reader& parent, provider which, std::vector<error_share>& out) {
    const auto* list = parent.list("errors");
    if (list == nullptr) {
        return;
    }
    out.clear();
    double sum = 0;
    for (std::size_t i = 0; i < list->size(); ++i) {
        json_reader from((*list)[i], parent.where("errors[" + std::to_string(i) + "]"));
        error_share& next = out.emplace_back();
        read_reason(from, which, next.reason);
        from.share("share", next.share);
        from.integer("retry_after", next.retry_after);
        parent.adopt(from.problem());
        sum += next.share;
    }
    if (sum > 1) {
        parent.fail("errors", "has shares that add up to more than 1");
    }
}

void read_dead_tokens(json_reader& parent, boost::unordered_flat_set<std::uint64_t>& out) {
    const auto* list = parent.list("dead_tokens");
    if (list == nullptr) {
        return;
    }
    out.clear();
    for (const auto& token : *list) {
        if (!token.is_string()) {
            parent.fail("dead_tokens", "must hold strings only");
            return;
        }
        out.insert(token_key(token.get_string()));
    }
}

token_script read_script(json_reader& from, provider which) {
    token_script script;
    from.flag("repeat", script.repeat);
    const auto* then = from.list("then");
    for (std::size_t i = 0; then != nullptr && i < then->size(); ++i) {
        json_reader step((*then)[i], from.where("then[" + std::to_string(i) + "]"));
        scripted_answer& answer = script.answers.emplace_back();
        if (step.find("reason") != nullptr) {
            read_reason(step, which, answer.reason);
        }
        choose(step, "fate", fates, answer.what);
        step.integer("reset_code", answer.reset_code);
        if (step.find("delay_ms") != nullptr) {
            double delay = 0;
            step.number("delay_ms", 0, 600'000, delay);
            answer.delay_ms = delay;
        }
        step.integer("retry_after", answer.retry_after);
        step.integer("timestamp", answer.timestamp);
        from.adopt(step.problem());
    }
    return script;
}

void read_scripts(
    json_reader& parent, provider which, boost::unordered_flat_map<std::uint64_t, token_script>& out) {
    const auto* given = parent.find("answers");
    if (given == nullptr) {
        return;
    }
    if (given->is_null()) {
        out.clear();
        return;
    }
    const auto* list = parent.list("answers");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        json_reader from((*list)[i], parent.where("answers[" + std::to_string(i) + "]"));
        std::string token;
        from.text("token", token);
        if (token.empty()) {
            from.fail("token", "is required");
        }
        token_script script = read_script(from, which);
        parent.adopt(from.problem());
        // An empty script gives the token back to normal service.
        if (script.answers.empty()) {
            out.erase(token_key(token));
        } else {
            out[token_key(token)] = std::move(script);
        }
    }
}

void read_provider(json_reader& parent, std::string_view name, provider which, provider_behaviour& out) {
    const auto* given = parent.find(name);
    if (given == nullptr) {
        return;
    }
    json_reader from(*given, parent.where(name));
    read_latency(from, out.delay);
    from.share("dead_share", out.dead_share);
    from.integer("dead_since", out.dead_since);
    read_errors(from, which, out.errors);
    read_dead_tokens(from, out.dead_tokens);
    read_scripts(from, which, out.scripts);
    read_faults(from, out.transport);
    from.flag("limit_drops_on_rejection", out.limit_drops_on_rejection);
    from.integer("min_token_refresh_s", out.min_token_refresh_s);
    parent.adopt(from.problem());
}

void read_oauth(json_reader& parent, oauth_behaviour& out) {
    const auto* given = parent.find("oauth");
    if (given == nullptr) {
        return;
    }
    json_reader from(*given, parent.where("oauth"));
    from.integer("expires_in_s", out.expires_in_s);
    from.integer("fail_status", out.fail_status, 599);
    from.number("delay_ms", 0, 600'000, out.delay_ms);
    if (out.fail_status != 0 && out.fail_status < 400) {
        from.fail("fail_status", "must be 0 or an HTTP status from 400 to 599");
    }
    parent.adopt(from.problem());
}

void read_actions(json_reader& parent, std::vector<action>& out) {
    const auto* list = parent.list("now");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        json_reader from((*list)[i], parent.where("now[" + std::to_string(i) + "]"));
        action& next = out.emplace_back();
        if (from.find("action") == nullptr) {
            from.fail("action", "is required");
        }
        choose(from, "action", action_words, next.what);
        if (from.find("provider") != nullptr) {
            std::string name;
            from.text("provider", name);
            next.where = find_provider(name);
            if (!next.where) {
                from.fail("provider", "must be one of apns, sandbox, fcm");
            }
        }
        from.share("share", next.share);
        from.integer("for_ms", next.for_ms, 3'600'000);
        from.integer("code", next.code);
        from.text("debug", next.debug);
        from.integer("max_concurrent_streams", next.max_concurrent_streams);
        from.integer("initial_window_size", next.initial_window_size);
        from.integer("header_table_size", next.header_table_size);
        if (next.initial_window_size.value_or(0) > 0x7FFFFFFFU) {
            from.fail("initial_window_size", "must be at most 2147483647");
        }
        if (next.header_table_size.value_or(0) > 65'536) {
            from.fail("header_table_size", "must be at most 65536");
        }
        parent.adopt(from.problem());
    }
}

}  // namespace

parsed<behaviour_change> change_behaviour(const behaviour& current, const boost::json::value& document) {
    behaviour_change change{current, {}};
    json_reader from(document, "");
    from.integer("seed", change.next.seed);
    from.flag("record", change.next.record);
    // "all" first, so that a provider's own section can make an exception.
    for (const auto which : all_providers) {
        read_provider(from, "all", which, change.next.of(which));
    }
    for (const auto which : all_providers) {
        read_provider(from, name_of(which), which, change.next.of(which));
    }
    read_oauth(from, change.next.oauth);
    read_actions(from, change.now);
    if (auto problem = from.problem()) {
        return *std::move(problem);
    }
    return change;
}

}  // namespace tocsin::sim
