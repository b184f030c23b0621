#include "tools/tocsin/command_reference.hpp"

#include "tests/support/reference_page.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(CommandReferenceTest, PageIsWhatTheTableOfCommandsMakes) {
    testing::expect_page(
        std::filesystem::path(TOCSIN_DOCS_FOLDER) / "reference" / "command-line.md",
        command_reference(all_commands()));
}

}  // namespace
}  // namespace tocsin::cli
