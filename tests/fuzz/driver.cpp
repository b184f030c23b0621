#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

// Runs a fuzz target without libFuzzer: first the kept corpus, then mutations of it, always the same ones.
// It knows nothing of coverage, so it finds less; but it runs with every test run, under any compiler.
//
//   name_fuzz CORPUS_DIRECTORY [ITERATIONS] [SEED]

namespace {

namespace fs = std::filesystem;

// Ends early on a slow machine or under a sanitizer: a few inputs less are better than a test that is
// skipped.
constexpr auto longest = std::chrono::seconds(2);
constexpr std::size_t largest_input = 4'096;

// For the signal handler, which may use nothing that allocates.
std::string current;  // NOLINT: a crash has no other way to its input.
constexpr const char* crash_file = "fuzz-crash-input";

void keep_input(int signal_number) {
    const int file = ::open(crash_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        static_cast<void>(!::write(file, current.data(), current.size()));
        ::close(file);
    }
    constexpr std::string_view said =
        "\nfuzz: the input is in fuzz-crash-input; add it to the corpus once fixed\n";
    static_cast<void>(!::write(STDERR_FILENO, said.data(), said.size()));
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
}

void run_one() {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
}

std::vector<std::string> read_corpus(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        files.push_back(entry.path());
    }
    std::ranges::sort(files);  // The directory's own order differs between machines.
    std::vector<std::string> out;
    for (const fs::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return out;
}

class mutator {
public:
    explicit mutator(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit);
    }
    void mutate(std::string& text, const std::vector<std::string>& corpus) {
        for (std::size_t i = 0, times = 1 + below(4); i < times; ++i) {
            once(text, corpus[below(corpus.size())]);
        }
        text.resize(std::min(text.size(), largest_input));
    }

private:
    void once(std::string& text, const std::string& other) {
        static constexpr auto edges =
            std::to_array<unsigned char>({0x00, 0x01, 0x7F, 0x80, 0xFF, '0', '9',  '-',  '"', '\\',
                                          '{',  '}',  '[',  ']',  ',',  ':', '\r', '\n', '$', '*'});
        const std::size_t at = below(text.size() + 1);
        const std::size_t length = std::min(below(16), text.size() - at);
        switch (below(8)) {
            case 0: text.erase(at, length); break;
            case 1: text.insert(at, text.substr(at, length)); break;
            case 2: text.insert(at, 1 + below(3), static_cast<char>(edges[below(edges.size())])); break;
            case 3: text.resize(at); break;
            case 4: text.replace(at, length, other.substr(below(other.size() + 1), below(64))); break;
            case 5: text.insert(at, other.substr(0, below(other.size() + 1))); break;
            case 6:
                if (at < text.size()) {
                    text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
                }
                break;
            default:
                if (at < text.size()) {
                    text[at] = static_cast<char>(random_());
                }
                break;
        }
    }

    std::mt19937_64 random_;  // Its sequence is the same in every standard library.
};

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::cerr << "usage: " << arguments[0] << " CORPUS_DIRECTORY [ITERATIONS] [SEED]\n";
        return 2;
    }
    // A stack of its own: endless recursion leaves none.
    static std::array<char, std::size_t{64} * 1024> spare_stack;
    stack_t stack{};
    stack.ss_sp = spare_stack.data();
    stack.ss_size = spare_stack.size();
    ::sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_handler = &keep_input;
    action.sa_flags = SA_ONSTACK;
    for (const int fatal : {SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGFPE, SIGBUS}) {
        ::sigaction(fatal, &action, nullptr);
    }
    const std::vector<std::string> corpus = read_corpus(arguments[1]);
    if (corpus.empty()) {
        std::cerr << "fuzz: nothing in " << arguments[1] << "\n";
        return 1;
    }
    for (const std::string& kept : corpus) {
        current = kept;
        run_one();
    }
    const std::size_t wanted = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 200'000;
    mutator changes(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1);
    const auto end = std::chrono::steady_clock::now() + longest;
    std::size_t done = 0;
    for (; done < wanted && (done % 64 != 0 || std::chrono::steady_clock::now() < end); ++done) {
        current = corpus[changes.below(corpus.size())];
        changes.mutate(current, corpus);
        run_one();
    }
    std::cout << "fuzz: " << corpus.size() << " kept inputs and " << done << " mutations\n";
    return 0;
}
