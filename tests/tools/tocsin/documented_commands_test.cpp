#include "tests/engine/ops/temporary_folder.hpp"
#include "tests/tools/tocsin/recorded_run.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// What the documentation tells people to type.

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The blocks of shell of a page.
std::vector<std::string> shell_blocks(const std::string& page) {
    std::vector<std::string> out;
    for (std::size_t at = page.find("```sh\n"); at != std::string::npos; at = page.find("```sh\n", at)) {
        at += 6;
        const std::size_t end = page.find("```", at);
        out.push_back(page.substr(at, end - at));
        at = end;
    }
    return out;
}

/// A plain command: without a comment, and without what the shell does with its input and output.
std::string plain_command(std::string line) {
    for (const char* const pattern : {" +#.*$", " *[|].*$", " && .*$", " *;.*$", " *&$", " [<>]+ *[^ ]+"}) {
        line = std::regex_replace(line, std::regex(pattern), "");
    }
    return line;
}

TEST(DocumentedCommandsTest, EveryCommandLineOfTheDocumentationIsAccepted) {
    std::size_t seen = 0;
    for (const auto& entry : fs::recursive_directory_iterator(TOCSIN_DOCS_FOLDER)) {
        if (entry.path().extension() != ".md") {
            continue;
        }
        for (const std::string& block : shell_blocks(read(entry.path()))) {
            for (const std::string& line : command_lines(block)) {
                const std::size_t start = line.find("tocsin ");
                const bool begins = start == 0 || line.ends_with("/bin/") ||
                                    line.starts_with("build/release/bin/tocsin ") ||
                                    line.starts_with("sudo -u tocsin tocsin ");
                if (start == std::string::npos || !begins) {
                    continue;
                }
                const std::size_t from =
                    line.starts_with("sudo") ? line.rfind("tocsin ", line.find("tocsin tocsin ") + 7) : start;
                const auto words = shell_words(plain_command(line.substr(from)));
                ASSERT_TRUE(words) << entry.path() << ": " << line;
                const recorded_run done = run_recorded({words->begin() + 1, words->end()});
                EXPECT_EQ(done.code, exit_ok) << entry.path() << ": " << line << "\n" << done.err;
                ++seen;
            }
        }
    }
    EXPECT_GT(seen, 60U);
}

TEST(DocumentedCommandsTest, AKeychainExportBecomesACertificateAndAKey) {
    const testing::temporary_folder folder;
    const auto shell = [&](const std::string& script) {
        return std::system(
            ("cd '" + folder.path().string() + "' && exec sh -e -c '" + script + "' </dev/null 2>err")
                .c_str());
    };
    // As Keychain Access writes it: RC2 with 40 bits, and triple DES.
    ASSERT_EQ(
        shell(
            "openssl req -x509 -newkey rsa:2048 -noenc -keyout k.pem -out c.pem -subj /CN=mairies -days 1 && "
            "openssl pkcs12 -export -legacy -in c.pem -inkey k.pem -out mairies.p12 -passout pass:"),
        0)
        << read(folder.path() / "err");
    std::string script;
    for (const std::string& block :
         shell_blocks(read(fs::path(TOCSIN_DOCS_FOLDER) / "how-to" / "use-real-providers.md"))) {
        if (block.find("openssl pkcs12") != std::string::npos) {
            script += std::regex_replace(block, std::regex("mairies.p12"), "mairies.p12 -passin pass:");
        }
    }
    ASSERT_FALSE(script.empty());
    ASSERT_EQ(shell(script), 0) << read(folder.path() / "err");
    EXPECT_EQ(shell("openssl x509 -in mairies.pem -noout && openssl pkey -in mairies-key.pem -noout"), 0);
    const auto rights = fs::status(folder.path() / "mairies-key.pem").permissions();
    EXPECT_EQ(rights & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
}

}  // namespace
}  // namespace tocsin::cli
