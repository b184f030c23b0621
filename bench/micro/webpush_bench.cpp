#include "engine/event/subscription.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/renderer.hpp"
#include "tests/support/sample_event.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

// What a push to a browser costs that no other push costs: encryption for one device.

namespace tocsin::webpush {
namespace {

std::string some_keys() {
    return read_subscription_keys(
               "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
               "BTBZMqHH6r4Tts7J_aSIgg")
        .value();
}

// All of it, for a text of so many bytes.
void BM_WebPush_Encrypt(benchmark::State& state) {
    encryptor cipher = encryptor::create().value();
    const std::string keys = some_keys();
    const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
    std::array<unsigned char, largest_body> body{};
    for (auto _ : state) {
        benchmark::DoNotOptimize(cipher.encrypt(keys, text, body));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WebPush_Encrypt)->Arg(300)->Arg(3993);

struct heap_of_keys final : key_source {
    std::size_t take(std::span<ephemeral_key> out) noexcept override {
        std::size_t given = 0;
        while (given < out.size() && left != 0) {
            out[given++].take_from(keys[--left]);
        }
        return given;
    }
    void make() {
        while (left < keys.size() && cipher.make_key(keys[left])) {
            ++left;
        }
    }

    encryptor cipher = encryptor::create().value();
    std::vector<ephemeral_key> keys = std::vector<ephemeral_key>(1'024);
    std::size_t left = 0;
};

// The same with a key that was made ahead, as the first messages of an alert are.
void BM_WebPush_EncryptWithKeyMadeAhead(benchmark::State& state) {
    const auto ahead = std::make_shared<heap_of_keys>();
    encryptor cipher = encryptor::create(ahead).value();
    const std::string keys = some_keys();
    const std::string text(300, 'x');
    std::array<unsigned char, largest_body> body{};
    for (auto _ : state) {
        if (ahead->left == 0) {
            state.PauseTiming();
            ahead->make();
            state.ResumeTiming();
        }
        benchmark::DoNotOptimize(cipher.encrypt(keys, text, body));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WebPush_EncryptWithKeyMadeAhead);

// What OpenSSL takes for each part alone, as it would be called by hand: the floor under the above.
struct bare {
    const c_handle<EC_GROUP, EC_GROUP_free> curve{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    const c_handle<BN_CTX, BN_CTX_free> scratch{BN_CTX_new()};
    const c_handle<BIGNUM, BN_clear_free> scalar{BN_new()};
    const c_handle<BIGNUM, BN_clear_free> x{BN_new()};
    const c_handle<EC_POINT, EC_POINT_free> ours{EC_POINT_new(curve.get())};
    const c_handle<EC_POINT, EC_POINT_free> theirs{EC_POINT_new(curve.get())};
    const c_handle<EC_POINT, EC_POINT_free> shared{EC_POINT_new(curve.get())};
    const c_handle<EVP_CIPHER, EVP_CIPHER_free> aes{EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)};
    const c_handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher{EVP_CIPHER_CTX_new()};
    std::array<unsigned char, point_size> encoded{};
    std::array<unsigned char, largest_body> sealed{};

    bare() {
        const std::string point = "\x04" + some_keys().substr(0, subscription_point_size);
        EC_POINT_oct2point(
            curve.get(), theirs.get(), reinterpret_cast<const unsigned char*>(point.data()), point.size(),
            scratch.get());
    }
    void make_key() {
        BN_priv_rand_range(scalar.get(), EC_GROUP_get0_order(curve.get()));
        EC_POINT_mul(curve.get(), ours.get(), scalar.get(), nullptr, nullptr, scratch.get());
        EC_POINT_point2oct(
            curve.get(), ours.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
            scratch.get());
    }
    void agree() {
        EC_POINT_mul(curve.get(), shared.get(), nullptr, theirs.get(), scalar.get(), scratch.get());
        EC_POINT_get_affine_coordinates(curve.get(), shared.get(), x.get(), nullptr, scratch.get());
    }
    void seal(std::string_view text) {
        int size = 0;
        EVP_EncryptInit_ex2(cipher.get(), aes.get(), encoded.data(), encoded.data() + 16, nullptr);
        EVP_EncryptUpdate(
            cipher.get(), sealed.data(), &size, reinterpret_cast<const unsigned char*>(text.data()),
            static_cast<int>(text.size()));
        EVP_EncryptFinal_ex(cipher.get(), sealed.data() + size, &size);
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, sealed.data() + text.size());
    }
};

void BM_WebPush_KeyAlone(benchmark::State& state) {
    bare openssl;
    for (auto _ : state) {
        openssl.make_key();
        benchmark::DoNotOptimize(openssl.encoded);
    }
}
BENCHMARK(BM_WebPush_KeyAlone);

void BM_WebPush_AgreementAlone(benchmark::State& state) {
    bare openssl;
    openssl.make_key();
    for (auto _ : state) {
        openssl.agree();
        benchmark::DoNotOptimize(openssl.x.get());
    }
}
BENCHMARK(BM_WebPush_AgreementAlone);

void BM_WebPush_AesAlone(benchmark::State& state) {
    bare openssl;
    const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) {
        openssl.seal(text);
        benchmark::DoNotOptimize(openssl.sealed);
    }
}
BENCHMARK(BM_WebPush_AesAlone)->Arg(300)->Arg(3'900);

// What a message cannot do without: the whole is to be within 1.3 times this.
void BM_WebPush_P256AndAesAlone(benchmark::State& state) {
    bare openssl;
    const std::string text(300, 'x');
    for (auto _ : state) {
        openssl.make_key();
        openssl.agree();
        openssl.seal(text);
        benchmark::DoNotOptimize(openssl.sealed);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WebPush_P256AndAesAlone);

// Once for an event.
void BM_WebPush_Render(benchmark::State& state) {
    const renderer subject("mairies", "https://www.example.fr/");
    const publish_event event = testing::flood_event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(subject.render(event));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WebPush_Render);

}  // namespace
}  // namespace tocsin::webpush
