#include "tests/support/redis_server.hpp"

#include "engine/core/c_handle.hpp"
#include "tests/support/broken_pipe.hpp"

#include <hiredis/hiredis.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

using context_handle = c_handle<redisContext, redisFree>;

struct free_reply {
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using reply_handle = std::unique_ptr<redisReply, free_reply>;

std::filesystem::path make_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "tocsin-redis-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    }
    return path;
}

void add_extension(X509* certificate, int id, const char* value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const c_handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, id, value));
    X509_add_ext(certificate, extension.get(), -1);
}

/// A self-signed certificate for localhost, which is its own trust root, and its key.
void write_certificate(const std::filesystem::path& directory) {
    const c_handle<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const c_handle<X509, X509_free> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 3600);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_set_pubkey(certificate.get(), key.get());
    add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    const c_handle<FILE, std::fclose> key_file(std::fopen((directory / "key.pem").c_str(), "w"));
    const c_handle<FILE, std::fclose> certificate_file(
        std::fopen((directory / "certificate.pem").c_str(), "w"));
    if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0 || key_file == nullptr ||
        certificate_file == nullptr ||
        PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_X509(certificate_file.get(), certificate.get()) != 1) {
        throw std::runtime_error("cannot make a certificate for redis-server");
    }
}

std::string print(const redisReply& reply) {
    switch (reply.type) {
        case REDIS_REPLY_INTEGER: return std::to_string(reply.integer);
        case REDIS_REPLY_NIL: return {};
        case REDIS_REPLY_ARRAY: break;
        default: return {reply.str, reply.len};
    }
    std::string out;
    for (std::size_t i = 0; i < reply.elements; ++i) {
        out += i == 0 ? "" : "\n";
        out += print(*reply.element[i]);
    }
    return out;
}

context_handle connect(const std::string& path) {
    const timeval patience{5, 0};
    context_handle context(redisConnectUnixWithTimeout(path.c_str(), patience));
    if (context != nullptr && context->err == 0) {
        redisSetTimeout(context.get(), patience);
        return context;
    }
    return nullptr;
}

reply_handle run(redisContext& context, const std::vector<std::string>& command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const std::string& word : command) {
        words.push_back(word.data());
        sizes.push_back(word.size());
    }
    const broken_pipe_is_an_error while_it_writes;
    return reply_handle(static_cast<redisReply*>(
        redisCommandArgv(&context, static_cast<int>(words.size()), words.data(), sizes.data())));
}

}  // namespace

redis_server::redis_server(redis_server_options options)
    : options_(std::move(options)), directory_(make_directory()) {
    if (options_.tls && options_.certificate_of.empty()) {
        write_certificate(directory_);
    } else if (options_.tls) {
        const auto from = std::filesystem::path(options_.certificate_of).parent_path();
        for (const char* name : {"certificate.pem", "key.pem"}) {
            std::filesystem::copy_file(from / name, directory_ / name);
        }
    }
    if (options_.tls) {
        // Clients may show the same certificate, and are told off for keys that others can read.
        using std::filesystem::perms;
        std::filesystem::permissions(directory_ / "key.pem", perms::owner_read | perms::owner_write);
    }
    if (!options_.config.empty()) {
        std::ofstream file(directory_ / "redis.conf");
        for (const std::string& line : options_.config) {
            file << line << '\n';
        }
    }
    const bool needs_port = options_.tcp || options_.tls || options_.cluster;
    if (needs_port) {
        port_.emplace();
    }
    if (options_.cluster) {
        bus_port_.emplace();
    }
    try {
        start();
    } catch (const std::exception&) {
        kill();
        std::filesystem::remove_all(directory_);
        throw;
    }
}

redis_server::~redis_server() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string redis_server::url() const {
    if (!port_) {
        return socket_url();
    }
    const std::string secret = options_.password.empty() ? "" : ':' + options_.password + '@';
    return (options_.tls ? "rediss://" : "redis://") + secret + "127.0.0.1:" + std::to_string(port()) + "/0";
}

std::string redis_server::socket_url() const {
    const std::string secret = options_.password.empty() ? "" : ':' + options_.password + '@';
    return "unix://" + secret + socket_path();
}

std::string redis_server::log() const {
    std::ifstream file(directory_ / "redis.log");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> redis_server::command_line() const {
    const std::string client_port = std::to_string(port());
    std::vector<std::string> line{"redis-server"};
    if (!options_.config.empty()) {
        line.push_back((directory_ / "redis.conf").string());
    }
    const std::vector<std::string> common{"--bind",        "127.0.0.1",
                                          "--unixsocket",  socket_path(),
                                          "--dir",         directory_.string(),
                                          "--daemonize",   "no",
                                          "--save",        "",
                                          "--appendonly",  options_.append_only ? "yes" : "no",
                                          "--appendfsync", "always",
                                          "--port",        options_.tls ? "0" : client_port};
    line.insert(line.end(), common.begin(), common.end());
    if (options_.cluster) {
        line.insert(
            line.end(), {"--cluster-enabled", "yes", "--cluster-port", std::to_string(bus_port()),
                         "--cluster-node-timeout", "5000", "--repl-diskless-sync-delay", "0"});
    }
    if (options_.tls) {
        line.insert(
            line.end(),
            {"--tls-port", client_port, "--tls-cert-file", ca_file(), "--tls-key-file",
             (directory_ / "key.pem").string(), "--tls-ca-cert-file", ca_file(), "--tls-auth-clients", "no"});
    }
    if (options_.tls && options_.cluster) {
        line.insert(line.end(), {"--tls-cluster", "yes"});
    }
    if (!options_.password.empty()) {
        line.insert(line.end(), {"--requirepass", options_.password});
    }
    for (const std::string& user : options_.users) {
        line.emplace_back("--user");
        std::istringstream words(user);
        line.insert(line.end(), std::istream_iterator<std::string>(words), {});
    }
    line.insert(line.end(), options_.extra.begin(), options_.extra.end());
    return line;
}

void redis_server::start() {
    std::vector<std::string> words = command_line();
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const std::string log_file = (directory_ / "redis.log").string();
    const pid_t parent = getpid();

    process_ = fork();
    if (process_ == 0) {
        // Between fork and exec only calls that are safe in a signal handler.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(127);
        }
        const int output = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    if (process_ < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    wait_until_it_answers(std::chrono::steady_clock::now() + std::chrono::seconds(20));
}

void redis_server::wait_until_it_answers(std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        int status = 0;
        if (waitpid(process_, &status, WNOHANG) == process_) {
            process_ = -1;
            throw std::runtime_error("redis-server ended at once; is it installed?\n" + log());
        }
        if (const context_handle context = connect(socket_path())) {
            const reply_handle pong = run(*context, {"PING"});
            const std::string_view answer =
                pong != nullptr ? std::string_view(pong->str, pong->len) : std::string_view();
            // A server with a password is up when it asks for it; one that still loads says so.
            if (answer == "PONG" || answer.starts_with("NOAUTH")) {
                return;
            }
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("redis-server does not answer\n" + log());
        }
        poll(nullptr, 0, 2);
    }
}

void redis_server::kill() noexcept {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        process_ = -1;
    }
}

void redis_server::restart() {
    kill();
    start();
}

void redis_server::pause() const noexcept {
    if (process_ > 0) {
        ::kill(process_, SIGSTOP);
        siginfo_t stopped;
        waitid(P_PID, static_cast<id_t>(process_), &stopped, WSTOPPED);
    }
}

void redis_server::resume() const noexcept {
    if (process_ > 0) {
        ::kill(process_, SIGCONT);
    }
}

std::string redis_server::cli(const std::vector<std::string>& command) const {
    const context_handle context = connect(socket_path());
    if (context == nullptr) {
        throw std::runtime_error("cannot connect to " + socket_path());
    }
    if (!options_.password.empty()) {
        run(*context, {"AUTH", options_.password});
    }
    const reply_handle reply = run(*context, command);
    if (reply == nullptr) {
        throw std::runtime_error(command.front() + ": " + context->errstr);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        throw std::runtime_error(command.front() + ": " + std::string(reply->str, reply->len));
    }
    return print(*reply);
}

}  // namespace tocsin::testing
