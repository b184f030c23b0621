#include "engine/redis/request.hpp"

#include "engine/core/text.hpp"

#include <openssl/evp.h>

#include <array>
#include <cassert>
#include <charconv>
#include <stdexcept>

namespace tocsin::redis {
namespace {

std::string sha1_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
        throw std::runtime_error("OpenSSL has no SHA-1, which names scripts in Redis");
    }
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

script::script(std::string_view name, std::string_view source)
    : name_(name), source_(source), sha_(sha1_hex(source)) {}

// Written by hand although hiredis has redisFormatCommandArgv(): that one wants all arguments as
// arrays first and mallocs a buffer per command, where the whole format is a count and a length.
void request::write_head(char kind, std::size_t number) {
    std::array<char, 24> head;
    head[0] = kind;
    char* const end = std::to_chars(head.data() + 1, head.data() + head.size() - 2, number).ptr;
    end[0] = '\r';
    end[1] = '\n';
    bytes_.append(head.data(), end + 2);
}

request& request::begin(std::size_t arguments) {
    assert(owed_ == 0 && "the command before this one lacks arguments");
    assert(arguments > 0);
    write_head('*', arguments);
    owed_ = arguments;
    ++count_;
    return *this;
}

request& request::append(std::string_view argument) {
    assert(owed_ > 0 && "more arguments than begin() announced");
    --owed_;
    write_head('$', argument.size());
    bytes_ += argument;
    bytes_ += "\r\n";
    return *this;
}

request& request::add_script(
    const script& what, std::span<const std::string> keys, std::span<const std::string> arguments) {
    const std::size_t offset = bytes_.size();
    begin(3 + keys.size() + arguments.size());
    append("EVALSHA").append(what.sha()).append(keys.size());
    for (const std::string& key : keys) {
        append(key);
    }
    for (const std::string& argument : arguments) {
        append(argument);
    }
    scripts_.push_back({count_ - 1, &what, offset, bytes_.size() - offset});
    return *this;
}

request& request::beside(std::string_view key) {
    assert(count_ > 0);
    beside_.emplace_back(count_ - 1, key);
    return *this;
}

}  // namespace tocsin::redis
