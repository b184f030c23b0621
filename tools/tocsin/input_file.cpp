#include "tools/tocsin/input_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace tocsin::cli {

std::string read_input(const std::string& file, exit_code otherwise, std::size_t most) {
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened || std::filesystem::is_directory(file)) {
            throw command_end(otherwise, "cannot read " + file);
        }
    }
    std::istream& in = file == "-" ? std::cin : opened;
    std::string out;
    for (std::array<char, 65'536> part{}; in && out.size() <= most;) {
        in.read(part.data(), part.size());
        out.append(part.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (out.size() > most) {
        throw command_end(otherwise, file + " is larger than what is expected here");
    }
    return out;
}

}  // namespace tocsin::cli
