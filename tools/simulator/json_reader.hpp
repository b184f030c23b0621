#pragma once

#include "engine/core/error.hpp"
#include "engine/core/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tocsin::sim {

/// Reads the members of a JSON object by name and remembers the first thing that is wrong, so that
/// a reader of twenty members has one place to look for errors.
class json_reader {
public:
    json_reader(const boost::json::value& document, std::string path) : path_(std::move(path)) {
        object_ = document.if_object();
        if (object_ == nullptr) {
            fail("", "must be a JSON object");
        }
    }

    /// The member, if it is there; every name asked for is a known one.
    const boost::json::value* find(std::string_view name) {
        known_.push_back(name);
        return object_ == nullptr ? nullptr : object_->if_contains(name);
    }

    void number(std::string_view name, double low, double high, double& out) {
        if (const auto* value = find(name)) {
            error_code ec;
            const auto given = value->to_number<double>(ec);
            if (ec || !(given >= low && given <= high)) {
                fail(name, "must be a number from " + plain(low) + " to " + plain(high));
                return;
            }
            out = given;
        }
    }
    void share(std::string_view name, double& out) { number(name, 0, 1, out); }

    template <class Integer>
    void integer(
        std::string_view name, Integer& out,
        std::type_identity_t<Integer> high = std::numeric_limits<Integer>::max()) {
        if (const auto* value = find(name)) {
            error_code ec;
            const auto given = value->to_number<Integer>(ec);
            if (ec || given > high) {
                fail(name, "must be a whole number from 0 to " + std::to_string(high));
                return;
            }
            out = given;
        }
    }
    /// null makes it empty again.
    template <class Integer>
    void integer(std::string_view name, std::optional<Integer>& out) {
        if (const auto* value = find(name)) {
            if (value->is_null()) {
                out.reset();
                return;
            }
            Integer given{};
            integer(name, given);
            out = given;
        }
    }
    void flag(std::string_view name, bool& out) {
        if (const auto* value = find(name)) {
            if (!value->is_bool()) {
                fail(name, "must be true or false");
                return;
            }
            out = value->get_bool();
        }
    }
    void text(std::string_view name, std::string& out) {
        if (const auto* value = find(name)) {
            if (!value->is_string()) {
                fail(name, "must be a string");
                return;
            }
            out.assign(value->get_string().data(), value->get_string().size());
        }
    }
    const boost::json::array* list(std::string_view name) {
        const auto* value = find(name);
        if (value != nullptr && !value->is_array()) {
            fail(name, "must be a JSON array");
            return nullptr;
        }
        return value == nullptr ? nullptr : &value->get_array();
    }

    void fail(std::string_view name, std::string_view what) {
        if (!problem_) {
            problem_ = refusal{"behaviour", where(name) + " " + std::string(what)};
        }
    }
    void adopt(const std::optional<refusal>& problem) {
        if (problem && !problem_) {
            problem_ = problem;
        }
    }
    [[nodiscard]] std::string where(std::string_view name) const {
        const std::string joint = path_.empty() || name.empty() ? "" : ".";
        const std::string whole = path_ + joint + std::string(name);
        return whole.empty() ? "the document" : whole;
    }

    /// The first problem; a member that nobody asked for is one.
    [[nodiscard]] std::optional<refusal> problem() {
        if (object_ != nullptr) {
            for (const auto& member : *object_) {
                if (std::find(known_.begin(), known_.end(), std::string_view(member.key())) != known_.end()) {
                    continue;
                }
                const auto meant = nearest(member.key(), known_);
                fail(
                    member.key(), meant.empty()
                                      ? "is not a known member"
                                      : "is not a known member; did you mean " + std::string(meant) + "?");
            }
        }
        return problem_;
    }

private:
    static std::string plain(double number) {
        std::string out = std::to_string(number);
        out.erase(out.find_last_not_of('0') + 1);
        if (out.back() == '.') {
            out.pop_back();
        }
        return out;
    }

    std::string path_;
    const boost::json::object* object_ = nullptr;
    std::vector<std::string_view> known_;
    std::optional<refusal> problem_;
};

}  // namespace tocsin::sim
