#include "tools/tocsin/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
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
        // Signals that this process holds back to look at them itself are the child's to get.
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
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

std::chrono::nanoseconds child_process::processor_time() const {
    // The process' own clock: /proc/<id>/stat has the same number rounded to ticks of 10 ms.
    clockid_t which{};
    timespec used{};
    if (id_ <= 0 || clock_getcpuclockid(id_, &which) != 0 || clock_gettime(which, &used) != 0) {
        return {};
    }
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace tocsin::cli
