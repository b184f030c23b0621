#include "tools/tocsin/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::cli {

parsed<child_process> child_process::start(
    const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& log) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const int out = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0) {
        return refusal{"log", "cannot write " + log.string() + ": " + std::strerror(errno)};
    }
    // Tells whether exec worked: closed by a successful one, holds errno after a failed one.
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        close(out);
        return refusal{"pipe", std::strerror(errno)};
    }
    const pid_t parent = getpid();
    const pid_t id = fork();
    if (id == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(127);
        }
        // Not the terminal's foreground group: an interrupt is for us, who then end it in order.
        setpgid(0, 0);
        const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        dup2(null, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvp(argv[0], argv.data());
        const int failed = errno;
        static_cast<void>(write(report[1], &failed, sizeof failed));
        _exit(127);
    }
    close(out);
    close(report[1]);
    int failed = 0;
    const bool exec_failed = read(report[0], &failed, sizeof failed) == static_cast<ssize_t>(sizeof failed);
    close(report[0]);
    if (id < 0 || exec_failed) {
        if (id > 0) {
            waitpid(id, nullptr, 0);
        }
        return refusal{"exec", "cannot start " + program + ": " + std::strerror(id < 0 ? errno : failed)};
    }
    return child_process(id);
}

child_process::child_process(child_process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), status_(other.status_) {}

child_process::~child_process() {
    stop(std::chrono::seconds(5));
}

bool child_process::running() {
    if (id_ > 0 && waitpid(id_, &status_, WNOHANG) == id_) {
        id_ = -1;
    }
    return id_ > 0;
}

int child_process::stop(std::chrono::milliseconds grace) {
    if (!running()) {
        return status_;
    }
    kill(id_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while (running()) {
        if (std::chrono::steady_clock::now() > deadline) {
            kill(id_, SIGKILL);
            waitpid(id_, &status_, 0);
            id_ = -1;
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return status_;
}

std::chrono::milliseconds child_process::processor_time() const {
    std::ifstream stat("/proc/" + std::to_string(id_) + "/stat");
    std::string text;
    std::getline(stat, text);
    // Fields 14 and 15, counted after the command's name, which may hold anything but its last ")".
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) {
        return {};
    }
    long ticks = 0;
    std::size_t at = name_end + 1;
    for (int field = 3; field <= 15; ++field) {
        at = text.find_first_not_of(' ', at);
        const std::size_t end = text.find(' ', at);
        if (field >= 14) {
            ticks += std::stol(text.substr(at, end - at));
        }
        at = end;
    }
    return std::chrono::milliseconds(ticks * 1'000 / sysconf(_SC_CLK_TCK));
}

}  // namespace tocsin::cli
