#include "engine/net/tls_channel.hpp"
#include "engine/net/tls_context.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace tocsin::net {
namespace {

/// Client and server after their handshake, with nothing between them.
class encrypted_pair {
public:
    encrypted_pair()
        : context_(ca_.server_context("DNS:push.test")),
          client_(tls_context::create({ca_.file(), "", "", "h2"}).value()->session("push.test")),
          server_(SSL_new(context_.get())),
          in_(BIO_new(BIO_s_mem())),
          out_(BIO_new(BIO_s_mem())) {
        SSL_set_bio(server_.get(), in_, out_);
        SSL_set_accept_state(server_.get());
        std::string bytes;
        while (client_.handshake() == tls_channel::progress::wants_bytes) {
            client_.take_output(bytes);
            BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
            SSL_do_handshake(server_.get());
            from_server_.resize(BIO_ctrl_pending(out_));
            BIO_read(out_, from_server_.data(), static_cast<int>(from_server_.size()));
            client_.receive(from_server_);
        }
        client_.take_output(bytes);
        BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
        SSL_do_handshake(server_.get());
    }

    tls_channel& client() noexcept { return client_; }

    /// What the server says, in `count` records, as it lies on the wire.
    std::string say(std::string_view plaintext, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            SSL_write(server_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
        }
        std::string wire(BIO_ctrl_pending(out_), '\0');
        BIO_read(out_, wire.data(), static_cast<int>(wire.size()));
        return wire;
    }

private:
    testing::throw_away_ca ca_;
    testing::throw_away_ca::context_handle context_;
    tls_channel client_;
    c_handle<SSL, SSL_free> server_;
    BIO* in_;
    BIO* out_;
    std::string from_server_;
};

// A full write of a connection: 64 KiB, some 130 pushes.
void BM_Tls_Encrypt(benchmark::State& state) {
    encrypted_pair ends;
    const std::string plaintext(static_cast<std::size_t>(state.range(0)), 'p');
    std::string wire;
    for (auto _ : state) {
        benchmark::DoNotOptimize(ends.client().write(plaintext));
        ends.client().take_output(wire);
        benchmark::DoNotOptimize(wire.data());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Tls_Encrypt)->ArgName("bytes")->Arg(512)->Arg(64 * 1024);

// What a connection reads in a turn: some answers, each in a record of its own.
void BM_Tls_Decrypt(benchmark::State& state) {
    const auto records = static_cast<std::size_t>(state.range(0));
    encrypted_pair ends;
    const std::string answer(static_cast<std::size_t>(state.range(1)), 'a');
    std::array<char, 32 * 1024> plain{};
    std::size_t read = 0;
    for (auto _ : state) {
        const std::string wire = ends.say(answer, records);
        const auto start = std::chrono::steady_clock::now();
        ends.client().receive(wire);
        read += ends.client().read(plain);
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(read / answer.size()));
}
BENCHMARK(BM_Tls_Decrypt)
    ->ArgNames({"records", "bytes"})
    ->Args({1, 90})
    ->Args({10, 90})
    ->Args({10, 60})
    ->Args({60, 90})
    ->UseManualTime();

std::chrono::nanoseconds processor_time() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// The client's part of a handshake, with a certificate to verify or with a ticket of an earlier connection.
void BM_Tls_Handshake(benchmark::State& state) {
    const bool resumes = state.range(0) != 0;
    testing::throw_away_ca ca;
    const auto served = ca.server_context("DNS:push.test");
    const auto context = tls_context::create({ca.file(), "", "", "h2"}).value();
    c_handle<SSL_SESSION, SSL_SESSION_free> ticket;
    std::string bytes;
    std::array<char, 16 * 1024> plain{};
    for (auto _ : state) {
        c_handle<SSL, SSL_free> server(SSL_new(served.get()));
        BIO* const in = BIO_new(BIO_s_mem());
        BIO* const out = BIO_new(BIO_s_mem());
        SSL_set_bio(server.get(), in, out);
        SSL_set_accept_state(server.get());
        auto used = -processor_time();
        tls_channel client(context->session("push.test"));
        if (resumes && ticket) {
            client.resume(ticket.get());
        }
        for (bool done = false; !done;) {
            done = client.handshake() == tls_channel::progress::done;
            client.take_output(bytes);
            used += processor_time();
            BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
            SSL_do_handshake(server.get());
            bytes.resize(BIO_ctrl_pending(out));
            BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
            used -= processor_time();
            client.receive(bytes);
        }
        benchmark::DoNotOptimize(client.read(plain));
        used += processor_time();
        ticket = client.ticket();
        state.SetIterationTime(std::chrono::duration<double>(used).count());
    }
}
BENCHMARK(BM_Tls_Handshake)->ArgName("resumes")->Arg(0)->Arg(1)->UseManualTime();

}  // namespace
}  // namespace tocsin::net
