#include "engine/audience/roster_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <array>

// What Redis gives back may be anything: a decoded device must be one that can be written and read again.

using namespace tocsin;

namespace {

constexpr auto beginnings = std::to_array<token_beginning>(
    {{"https://push.example.org/send/", ""}, {"https://", ".example.org"}, {"https://", ""}, {"", ""}});

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const territory here{*parse_commune_id("21231"), {}};
    const auto entry = decode_roster_entry(bytes);
    if (entry) {
        static_cast<void>(entry->mutes("agenda"));
        follow_reader follows(entry->follows);
        std::size_t steps = 0;
        while (follows.next()) {
            fuzz::require(++steps <= bytes.size());
        }
    }
    const auto which = decode_device("token", bytes, here);
    fuzz::require(!which || entry.has_value());
    if (which) {
        const auto again = decode_device("token", encode_roster_entry(*which), which->follow.front());
        fuzz::require(again.has_value());
        fuzz::require(again->follow == which->follow && again->mute == which->mute);
        fuzz::require(again->locale == which->locale && again->sandbox == which->sandbox);
        fuzz::require(again->is_fid == which->is_fid && again->registered_at == which->registered_at);
    }
    if (const auto record = decode_roster_record(bytes, beginnings)) {
        const std::string token = record->token.whole();
        const std::string written = encode_roster_record(token, record->entry, beginnings);
        const auto again = decode_roster_record(written, beginnings);
        fuzz::require(again.has_value() && again->token.whole() == token && again->entry == record->entry);
    }
    if (const auto follows = decode_follows(bytes)) {
        const auto again = decode_follows(encode_follows(*follows));
        fuzz::require(again.has_value() && *again == *follows);
    }
    return 0;
}
