#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::testing {

/// Compares a page of docs/reference with what the code says; with UPDATE_REFERENCE=1 in the environment it
/// writes the page instead.
inline void expect_page(const std::filesystem::path& file, const std::string& generated) {
    if (std::getenv("UPDATE_REFERENCE") != nullptr) {
        std::ofstream(file, std::ios::binary) << generated;
    }
    std::ifstream in(file, std::ios::binary);
    ASSERT_TRUE(in) << file;
    const std::string written{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_TRUE(written == generated)
        << file << ": run this test once with UPDATE_REFERENCE=1 and commit the page";
}

}  // namespace tocsin::testing
