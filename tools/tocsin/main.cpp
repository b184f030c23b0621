#include "tools/tocsin/command_line.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <exception>
#include <variant>

int main(int argc, char** argv) {
    using namespace tocsin::cli;
    try {
        const auto parsed = parse_command_line(argc, argv);
        if (const int* const code = std::get_if<int>(&parsed)) {
            return *code;
        }
        const command& asked = std::get<command>(parsed);
        return std::visit([&](const auto& how) { return run(asked.common, how); }, asked.what);
    } catch (const std::exception& failure) {
        // Nothing is expected here: out of memory, or a defect that should at least say its name.
        complain(failure.what());
        return exit_failed;
    }
}
