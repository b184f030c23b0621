#pragma once

#include "tests/tools/simulator/test_client.hpp"
#include "tools/simulator/simulator.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::sim::testing {

/// Wall time that moves only when a test says so; the simulator's threads read it.
class test_clock final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] wall_time wall_now() const noexcept override {
        return wall_time(std::chrono::milliseconds(ms_.load()));
    }
    void advance(std::chrono::seconds by) { ms_ += std::chrono::milliseconds(by).count(); }
    [[nodiscard]] std::int64_t seconds() const { return ms_ / 1000; }
    [[nodiscard]] std::int64_t milliseconds() const { return ms_; }

private:
    std::atomic<std::int64_t> ms_{1'795'000'000'000};  // November 2026.
};

/// A directory that is gone when the test is.
class temporary_directory {
public:
    temporary_directory();
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory();
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// Options for a simulator on free ports with the app `mairies`.
[[nodiscard]] simulator_options test_options(const std::filesystem::path& directory);

[[nodiscard]] std::string read_text(const std::filesystem::path& file);
[[nodiscard]] boost::json::value json_of(std::string_view text);

/// Compact JWS over the two JSON objects. `key_pem` is an EC key for ES256 or an RSA key for RS256.
[[nodiscard]] std::string sign_jwt(
    const std::string& header, const std::string& claims, const std::string& key_pem);

/// A running simulator, and what a client of it needs.
class SimulatorTest : public ::testing::Test {
protected:
    void SetUp() override { start(options); }
    void start(const simulator_options& wanted);
    void stop() { running.reset(); }

    /// The app's APNs provider token, `age_s` seconds old; the same one as long as the clock stands still.
    [[nodiscard]] std::string provider_token(std::int64_t age_s = 0) const;
    /// Headers of a push that is in order, with `changes` replaced, added, or (empty) left out.
    [[nodiscard]] header_list apns_headers(
        const std::string& token, const std::map<std::string, std::string>& changes = {}) const;
    [[nodiscard]] h2_client apns_client() const { return {running->ports().apns, running->ca_file()}; }

    /// Goes through the OAuth exchange.
    [[nodiscard]] std::string access_token() const;
    [[nodiscard]] std::string assertion(const std::map<std::string, boost::json::value>& changes = {}) const;
    [[nodiscard]] static std::string form(const std::string& assertion);
    [[nodiscard]] header_list fcm_headers(
        const std::string& bearer, const std::map<std::string, std::string>& changes = {}) const;
    [[nodiscard]] h2_client fcm_client() const { return {running->ports().fcm, running->ca_file()}; }

    void change(std::string_view document);
    [[nodiscard]] boost::json::object stats(std::string_view provider_name) const;
    [[nodiscard]] std::filesystem::path file(const std::string& name) const {
        return directory.path() / name;
    }

    temporary_directory directory;
    test_clock time;
    simulator_options options = test_options(directory.path());
    std::unique_ptr<simulator> running;

private:
    mutable std::map<std::int64_t, std::string> signed_at_;
};

inline const std::string apns_body = R"({"aps":{"alert":{"title":"Crue","body":"Évitez les quais."}}})";
/// A device token of 32 bytes that ends in `number`.
[[nodiscard]] std::string apns_device(unsigned number);
[[nodiscard]] std::string fcm_device(unsigned number);
[[nodiscard]] std::string fcm_body(const std::string& token);

}  // namespace tocsin::sim::testing
