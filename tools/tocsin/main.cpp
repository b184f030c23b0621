#include "tools/tocsin/command_line.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <exception>

int main(int argc, char** argv) {
    using namespace tocsin::cli;
    keep_standard_descriptors();
    try {
        return end_of_output(run_command_line(all_commands(), argc, argv));
    } catch (const std::exception& failure) {
        // Nothing is expected here: out of memory, or a defect that should at least say its name.
        complain(failure.what());
        return exit_failed;
    }
}
