#include "engine/redis/reply_reader.hpp"

#include "engine/redis/error.hpp"

#include <cstdint>
#include <limits>
#include <new>

namespace tocsin::redis {

namespace {

// What differs between hiredis 0.14 and 1.x is asked of its own declarations.

template <class Result, class First, class Second>
Second second_argument(Result (*)(First, Second));

template <class Reader>
bool awaits_first_byte(const Reader& reader) noexcept {
    if constexpr (requires { reader.rstack; }) {
        return reader.rstack[0].type == -1;
    } else {
        return reader.task[0]->type == -1;
    }
}

}  // namespace

/// C code is on the stack: nothing throws, and null means out of memory. What hiredis keeps as the
/// object of a node is its number plus one, so that no node is null.
struct reply_reader::callbacks {
    static constexpr int max_elements = 1 << 24;

    static void* token(std::uint32_t node) noexcept {
        return reinterpret_cast<void*>(std::uintptr_t{node} + 1);
    }
    static std::uint32_t node_of(void* token) noexcept {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(token) - 1);
    }

    static void* add(const redisReadTask* task, const reply::node& node) {
        replies& into = *static_cast<reply_reader*>(task->privdata)->into_;
        reply::storage& arena = into.storage_;
        if (arena.nodes.size() >= std::numeric_limits<std::uint32_t>::max()) {
            return nullptr;
        }
        const auto index = static_cast<std::uint32_t>(arena.nodes.size());
        arena.nodes.push_back(node);
        if (task->parent == nullptr) {
            into.roots_.push_back(index);
        } else {
            const reply::node& parent = arena.nodes[node_of(task->parent->obj)];
            arena.children[parent.offset + static_cast<std::size_t>(task->idx)] = index;
        }
        return token(index);
    }

    static reply_type type_of(const redisReadTask* task) noexcept {
        switch (task->type) {
            case REDIS_REPLY_STATUS: return reply_type::status;
            case REDIS_REPLY_ERROR: return reply_type::error;
            default: return reply_type::string;
        }
    }

    static void* create_string(const redisReadTask* task, char* bytes, std::size_t size) noexcept try {
        std::string& text = static_cast<reply_reader*>(task->privdata)->into_->storage_.text;
        const reply::node node{type_of(task), 0, text.size(), size};
        text.append(bytes, size);
        return add(task, node);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    using element_count = decltype(second_argument(redisReplyObjectFunctions{}.createArray));

    static void* create_array(const redisReadTask* task, element_count elements) noexcept try {
        if (elements > static_cast<element_count>(max_elements)) {
            return nullptr;
        }
        auto& children = static_cast<reply_reader*>(task->privdata)->into_->storage_.children;
        const reply::node node{reply_type::array, 0, children.size(), static_cast<std::size_t>(elements)};
        children.resize(children.size() + node.length);
        return add(task, node);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* create_integer(const redisReadTask* task, long long value) noexcept try {
        return add(task, {reply_type::integer, value, 0, 0});
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* create_nil(const redisReadTask* task) noexcept try {
        return add(task, {});
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static redisReader* create(reply_reader* self) {
        // Nodes belong to the `replies`, so there is nothing to free.
        static redisReplyObjectFunctions table = [] {
            redisReplyObjectFunctions out{};  // By name: hiredis 1 has put others between them.
            out.createString = create_string;
            out.createArray = create_array;
            out.createInteger = create_integer;
            out.createNil = create_nil;
            return out;
        }();
        redisReader* reader = redisReaderCreateWithFunctions(&table);
        if (reader == nullptr) {
            throw std::bad_alloc();
        }
        reader->privdata = self;
        return reader;
    }
};

reply_reader::reply_reader() : reader_(callbacks::create(this)) {}

void reply_reader::feed(std::string_view bytes) noexcept {
    redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

result<reply_reader::progress> reply_reader::next(replies& into) {
    into_ = &into;
    void* done = nullptr;
    if (redisReaderGetReply(reader_.get(), &done) != REDIS_OK) {
        return redis_errc::protocol;
    }
    return done != nullptr ? progress::complete : progress::more_bytes;
}

bool reply_reader::idle() const noexcept {
    // hiredis may have prepared for a reply of which not even the first byte is there.
    const bool between_replies = reader_->ridx == -1 || (reader_->ridx == 0 && awaits_first_byte(*reader_));
    return between_replies && reader_->pos == reader_->len;
}

void reply_reader::reset() {
    reader_.reset(callbacks::create(this));
}

}  // namespace tocsin::redis
