#include "engine/redis/pipeline.hpp"

#include "engine/redis/error.hpp"

#include <algorithm>

namespace tocsin::redis {
namespace {

/// A SCRIPT FLUSH in a loop would otherwise keep a request going for ever.
constexpr std::uint32_t max_script_rounds = 3;

bool is_unknown_script(const reply& answer) noexcept {
    return answer.is_error() && answer.text().starts_with("NOSCRIPT");
}

bool is_from_replica(const reply& answer) noexcept {
    // Redis 6.2 wraps what a script was told in words of its own.
    return answer.is_error() && answer.text().find("READONLY You can't write") != std::string_view::npos;
}

}  // namespace

void pipeline::push(std::shared_ptr<operation> what) {
    what->queued = true;
    queued_bytes_ += unsent(*what).size();
    queue_.push_back(std::move(what));
}

void pipeline::abandon(operation& what) noexcept {
    if (what.done || what.abandoned) {
        return;
    }
    what.abandoned = true;
    if (!what.queued) {
        return;
    }
    queued_bytes_ -= unsent(what).size();
    std::string().swap(what.what.bytes_);
    // The oldest give up first. Without this, a queue of the given-up would grow for as long as
    // Redis is away.
    while (!queue_.empty() && queue_.front()->abandoned) {
        queue_.pop_front();
    }
}

void pipeline::take_output(std::string& out, std::size_t limit) {
    while (!queue_.empty() && out.size() < limit) {
        const std::shared_ptr<operation> next = std::move(queue_.front());
        queue_.pop_front();
        if (next->abandoned) {
            continue;
        }
        queued_bytes_ -= unsent(*next).size();
        next->queued = false;
        if (next->ran) {
            out += next->again;
        } else {
            teach_scripts(*next, out);
            out += next->what.bytes_;
            next->ran = true;
            if (next->what.scripts_.empty()) {
                std::string().swap(next->what.bytes_);
            }
        }
        in_flight_.push_back(next);
    }
}

// Ahead of the first call on a connection, so that in practice no call is refused and repeated
// after the commands that stood behind it.
void pipeline::teach_scripts(const operation& what, std::string& out) {
    for (const auto& call : what.what.scripts_) {
        if (!known_scripts_.insert(call.what->sha()).second) {
            continue;
        }
        request load("SCRIPT", "LOAD", call.what->source());
        out += load.bytes_;
        const auto lesson = std::make_shared<operation>(std::move(load));
        lesson->abandoned = true;  // If it is refused, the call's own retry shows why.
        lesson->ran = true;
        in_flight_.push_back(lesson);
    }
}

result<> pipeline::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, reply_reader::chunk_size);
        bytes.remove_prefix(piece.size());
        reader_.feed(piece);
        while (!in_flight_.empty()) {
            const auto step = reader_.next(in_flight_.front()->answers);
            if (step.has_error()) {
                return step.error();
            }
            if (*step == reply_reader::progress::more_bytes) {
                break;
            }
            if (masters_only_ && is_from_replica(in_flight_.front()->answers.back())) {
                met_replica_ = true;
                return redis_errc::connection_lost;
            }
            met_replica_ = false;
            if (--in_flight_.front()->remaining == 0) {
                const std::shared_ptr<operation> complete = std::move(in_flight_.front());
                in_flight_.pop_front();
                settle(complete);
            }
        }
        if (in_flight_.empty() && !reader_.idle()) {
            return redis_errc::protocol;  // A reply to nothing: we and the peer are out of step.
        }
    }
    return {};
}

void pipeline::settle(const std::shared_ptr<operation>& what) {
    if (what->abandoned) {
        return;
    }
    splice(*what);
    if (!prepare_retry(*what)) {
        finish(*what, {});
        return;
    }
    if (++what->rounds > max_script_rounds) {
        finish(*what, redis_errc::unexpected_reply);
        return;
    }
    what->queued = true;
    queued_bytes_ += unsent(*what).size();
    queue_.push_front(what);
}

/// Puts the replies of repeated script calls where the refusals were.
void pipeline::splice(operation& what) {
    std::vector<std::uint32_t>& roots = what.answers.roots_;
    const std::size_t count = what.what.count();
    for (std::size_t i = 0; i < what.retried.size(); ++i) {
        // If the script could not be loaded, why is what the caller must see.
        const std::size_t load = count + what.retried[i].load;
        const std::size_t call = count + what.loads + i;
        roots[what.retried[i].index] = what.answers[load].is_error() ? roots[load] : roots[call];
    }
    roots.resize(count);
    what.retried.clear();
}

/// True if script calls were refused as unknown; `again` then loads the scripts and repeats them.
bool pipeline::prepare_retry(operation& what) {
    request again;
    std::vector<const script*> loaded;
    std::string calls;
    for (const auto& call : what.what.scripts_) {
        if (!is_unknown_script(what.answers[call.index])) {
            continue;
        }
        auto known = std::find(loaded.begin(), loaded.end(), call.what);
        if (known == loaded.end()) {
            again.add("SCRIPT", "LOAD", call.what->source());
            known = loaded.insert(loaded.end(), call.what);
        }
        what.retried.push_back({call.index, static_cast<std::size_t>(known - loaded.begin())});
        calls.append(what.what.bytes_, call.offset, call.size);
    }
    what.loads = loaded.size();
    what.remaining = loaded.size() + what.retried.size();
    what.again = std::move(again.bytes_);
    what.again += calls;
    return !what.retried.empty();
}

void pipeline::disconnected(error_code cause) {
    reader_.reset();
    known_scripts_.clear();
    std::deque<std::shared_ptr<operation>> lost = std::exchange(in_flight_, {});
    // What waits to repeat a script call has run in part: the next connection may not finish it.
    for (auto i = queue_.begin(); i != queue_.end();) {
        if (!(*i)->ran) {
            ++i;
            continue;
        }
        if (!(*i)->abandoned) {
            queued_bytes_ -= unsent(**i).size();
        }
        lost.push_back(std::move(*i));
        i = queue_.erase(i);
    }
    for (const auto& what : lost) {
        if (!what->abandoned) {
            finish(*what, std::exchange(cause, redis_errc::connection_lost));
        }
    }
}

void pipeline::fail_queued(error_code cause) {
    for (const auto& what : std::exchange(queue_, {})) {
        if (!what->abandoned) {
            finish(*what, cause);
        }
    }
    queued_bytes_ = 0;
}

void pipeline::finish(operation& what, error_code failure) noexcept {
    what.queued = false;
    what.failure = failure;
    what.done = true;
    what.on_done();
}

}  // namespace tocsin::redis
