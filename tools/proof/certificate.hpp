#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"
#include "tools/proof/reach_rows.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The reach certificate: one HTML file in French, for a mayor. It is a function of what Redis holds of an
// event and of a stamp, which the file carries with it: what was true when it was made and need not be so
// later. So whoever has the file and Redis can make it again, and see whether it is the same.

namespace tocsin::proof {

/// What a certificate speaks of, out of Redis.
struct certificate_subject {
    std::string event;           ///< Its id.
    boost::json::object result;  ///< The result document as it was published.
    std::vector<reach_row> rows;
    // Of the publish event; all of it is somebody else's text.
    std::string title;
    std::string body;
    std::optional<tocsin::priority> priority;
    bool dry_run = false;
    std::vector<std::string> audience;  ///< In French, from audience_in_french().
};

/// What can change after a certificate was made without making it false.
struct certificate_stamp {
    wall_time as_of{};  ///< Whole seconds: what is printed is all of it.
    struct commune_then {
        std::string name;
        std::array<std::optional<std::uint64_t>, 3> receipts{};  ///< received, displayed, opened
    };
    std::map<std::string, commune_then> communes;  ///< By INSEE code.
};

[[nodiscard]] certificate_stamp stamp_of(const certificate_subject& subject, wall_time as_of);

/// The subject as it was at the stamp's time, as far as that can be: the names are the stamp's, and so are
/// receipts of which there are at least as many by now. Fewer cannot be; those stay as Redis has them, and
/// differ.
[[nodiscard]] certificate_subject as_stamped(certificate_subject subject, const certificate_stamp& stamp);

/// The whole file.
[[nodiscard]] std::string certificate_page(
    const certificate_subject& subject, const certificate_stamp& stamp);

/// SHA-256 of the canonical result (canonical_json()), in hexadecimal.
[[nodiscard]] std::string result_digest(const boost::json::object& result);

/// The stamp that a file carries; empty if it is no certificate of this format.
[[nodiscard]] std::optional<certificate_stamp> stamp_in(std::string_view file);

/// An event's audience for people: "Dijon (21231)", "département 21", "2 appareils désignés".
[[nodiscard]] std::vector<std::string> audience_in_french(
    const std::vector<selector>& audience, const territories& places);

/// Text that anybody may have written, as HTML may hold it, in text and in quoted attributes: nothing in it
/// is markup, and nothing of it is unprintable.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace tocsin::proof
