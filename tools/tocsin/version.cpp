#include "tools/tocsin/version.hpp"

#include <boost/version.hpp>
#include <hiredis/hiredis.h>
#include <nghttp2/nghttp2ver.h>
#include <openssl/crypto.h>

#include <string>

#include <CLI/Version.hpp>
#include <fmt/format.h>
#include <spdlog/version.h>

namespace tocsin::cli {
namespace {

std::string dotted(int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace

boost::json::object version_document() {
    return {
        {"version", version},
        {"commit", commit},
        {"compiler", std::string("GCC ") + __VERSION__},
        {"libraries",
         boost::json::object{
             {"boost", dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100)},
             {"cli11", CLI11_VERSION},
             {"fmt", dotted(FMT_VERSION / 10'000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
             {"hiredis", dotted(HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH)},
             {"nghttp2", NGHTTP2_VERSION},
             {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
             {"spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
             {"tomlplusplus", TOCSIN_TOML_VERSION}}}};
}

}  // namespace tocsin::cli
