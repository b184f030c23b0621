#include "tools/tocsin/completions.hpp"
#include "tools/tocsin/manual.hpp"
#include "tools/tocsin/version.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/chrono.h>

// Run by the build: writes the manual and the completions into the folder that it is given.

namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary);
    out << text;
    if (!out.flush()) {
        std::cerr << "cannot write " << file << "\n";
        std::exit(1);
    }
}

/// The day of SOURCE_DATE_EPOCH, so that two builds of one source agree; without it, today.
std::string date() {
    const char* const epoch = std::getenv("SOURCE_DATE_EPOCH");
    const std::time_t when =
        epoch == nullptr ? std::time(nullptr) : static_cast<std::time_t>(std::strtoll(epoch, nullptr, 10));
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(when));
}

}  // namespace

int main(int argc, char** argv) {
    using namespace tocsin::cli;
    if (argc != 2) {
        std::cerr << "usage: write_pages FOLDER\n";
        return 2;
    }
    const fs::path folder = argv[1];
    const std::vector<command> commands = all_commands();
    const manual_stamp stamp{version, date()};
    write(folder / "man1" / "tocsin.1", manual_overview(commands, stamp));
    for (const command& one : commands) {
        write(folder / "man1" / ("tocsin-" + one.name + ".1"), manual_page(one, stamp));
    }
    write(folder / "man5" / "tocsin.toml.5", manual_of_configuration(stamp));
    write(folder / "completions" / "tocsin.bash", bash_completion(commands));
    write(folder / "completions" / "_tocsin", zsh_completion(commands));
    write(folder / "completions" / "tocsin.fish", fish_completion(commands));
    return 0;
}
