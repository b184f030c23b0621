#include "providers/known_platforms.hpp"

#include "providers/apns/traits.hpp"
#include "providers/fcm/traits.hpp"
#include "providers/webpush/traits.hpp"

#include <array>

namespace tocsin {

platform_set known_platforms() {
    static const std::array<const platform_traits*, platform_count> all{
        &apns::traits(), &fcm::traits(), &webpush::traits()};
    return platform_set(all);
}

}  // namespace tocsin
