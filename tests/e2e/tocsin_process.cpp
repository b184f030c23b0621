#include "tests/e2e/tocsin_process.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string tocsin_executable() {
    return TOCSIN_EXECUTABLE;
}

finished_process run_tocsin(
    const std::vector<std::string>& arguments, const std::string& input,
    const std::vector<std::string>& environment) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-run-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("no temporary directory");
    }
    const std::filesystem::path directory = pattern;
    std::ofstream(directory / "in") << input;
    const pid_t id = fork();
    if (id == 0) {
        const int in = open((directory / "in").c_str(), O_RDONLY);
        const int out = open((directory / "out").c_str(), O_CREAT | O_WRONLY, 0600);
        const int err = open((directory / "err").c_str(), O_CREAT | O_WRONLY, 0600);
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        for (const std::string& one : environment) {
            putenv(const_cast<char*>(one.c_str()));
        }
        std::vector<char*> argv{const_cast<char*>(TOCSIN_EXECUTABLE)};
        for (const std::string& one : arguments) {
            argv.push_back(const_cast<char*>(one.c_str()));
        }
        argv.push_back(nullptr);
        execv(argv[0], argv.data());
        _exit(127);
    }
    int status = 0;
    waitpid(id, &status, 0);
    finished_process result;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = read_file(directory / "out");
    result.err = read_file(directory / "err");
    std::filesystem::remove_all(directory);
    return result;
}

}  // namespace tocsin::testing
