#include "engine/event/subscription.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/renderer.hpp"
#include "tests/support/sample_event.hpp"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <array>
#include <string>

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

// The two multiplications on P-256 alone: the floor under the above. A key of the message's own, and the
// secret that it has in common with the browser.
void BM_WebPush_P256Alone(benchmark::State& state) {
    const c_handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    const c_handle<BN_CTX, BN_CTX_free> scratch(BN_CTX_new());
    const c_handle<BIGNUM, BN_clear_free> scalar(BN_new());
    const c_handle<BIGNUM, BN_clear_free> x(BN_new());
    const c_handle<EC_POINT, EC_POINT_free> ours(EC_POINT_new(curve.get()));
    const c_handle<EC_POINT, EC_POINT_free> theirs(EC_POINT_new(curve.get()));
    const c_handle<EC_POINT, EC_POINT_free> shared(EC_POINT_new(curve.get()));
    const std::string point = "\x04" + some_keys().substr(0, subscription_point_size);
    EC_POINT_oct2point(
        curve.get(), theirs.get(), reinterpret_cast<const unsigned char*>(point.data()), point.size(),
        scratch.get());
    std::array<unsigned char, point_size> encoded{};
    for (auto _ : state) {
        BN_priv_rand_range(scalar.get(), EC_GROUP_get0_order(curve.get()));
        EC_POINT_mul(curve.get(), ours.get(), scalar.get(), nullptr, nullptr, scratch.get());
        EC_POINT_point2oct(
            curve.get(), ours.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
            scratch.get());
        EC_POINT_mul(curve.get(), shared.get(), nullptr, theirs.get(), scalar.get(), scratch.get());
        EC_POINT_get_affine_coordinates(curve.get(), shared.get(), x.get(), nullptr, scratch.get());
        benchmark::DoNotOptimize(encoded);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WebPush_P256Alone);

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
