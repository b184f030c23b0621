#include "tests/e2e/tocsin_process.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Ours, where a line of `more` ("NAME=value") does not say otherwise.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
    std::vector<std::string> out = more;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view line = *each;
        const std::string_view name = line.substr(0, line.find('=') + 1);
        if (std::ranges::none_of(more, [&](std::string_view own) { return own.starts_with(name); })) {
            out.emplace_back(line);
        }
    }
    return out;
}

/// As exec takes them. They are read, never written.
std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> out;
    for (const std::string& word : words) {
        out.push_back(const_cast<char*>(word.c_str()));
    }
    out.push_back(nullptr);
    return out;
}

/// Starts the executable; it reads `in` of `directory` and writes `out` and `err` there.
///
/// Not by fork(): the simulator's threads are in this process, and a copy of it that allocates before exec
/// waits for ever for a lock which one of them held.
pid_t spawn(
    const std::vector<std::string>& words, const std::vector<std::string>& environment,
    const std::filesystem::path& directory) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const auto use = [&](int as, const char* name, int flags) {
        posix_spawn_file_actions_addopen(&files, as, (directory / name).c_str(), flags, 0600);
    };
    use(STDIN_FILENO, "in", O_RDONLY);
    use(STDOUT_FILENO, "out", O_CREAT | O_WRONLY);
    use(STDERR_FILENO, "err", O_CREAT | O_WRONLY);
    pid_t id = -1;
    const int failed = posix_spawn(
        &id, words.front().c_str(), &files, nullptr, pointers_to(words).data(),
        pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) {
        throw std::system_error(failed, std::generic_category(), words.front());
    }
    return id;
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
    std::vector<std::string> words{tocsin_executable()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const pid_t id = spawn(words, environment_with(environment), directory);
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
