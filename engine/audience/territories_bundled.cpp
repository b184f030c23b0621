#include "engine/audience/territories_bundled.hpp"

#include <cstddef>
#include <cstdint>

// The size is measured by the assembler: subtracting two symbols is nothing that C++ defines.
asm(R"(
    .pushsection .rodata
    .balign 8
tocsin_communes_size:
    .quad tocsin_communes_end - tocsin_communes_data
tocsin_epci_size:
    .quad tocsin_epci_end - tocsin_epci_data
tocsin_former_size:
    .quad tocsin_former_end - tocsin_former_data
tocsin_communes_data:
    .incbin "communes.csv"
tocsin_communes_end:
tocsin_epci_data:
    .incbin "epci.csv"
tocsin_epci_end:
tocsin_former_data:
    .incbin "former-communes.csv"
tocsin_former_end:
    .byte 0
    .global tocsin_communes_size, tocsin_epci_size, tocsin_communes_data, tocsin_epci_data
    .global tocsin_former_size, tocsin_former_data
    .popsection
)");

extern "C" {
extern const char tocsin_communes_data[];
extern const std::uint64_t tocsin_communes_size;
extern const char tocsin_epci_data[];
extern const std::uint64_t tocsin_epci_size;
extern const char tocsin_former_data[];
extern const std::uint64_t tocsin_former_size;
}

namespace tocsin {

std::string_view bundled_communes() noexcept {
    return {tocsin_communes_data, static_cast<std::size_t>(tocsin_communes_size)};
}

std::string_view bundled_epci() noexcept {
    return {tocsin_epci_data, static_cast<std::size_t>(tocsin_epci_size)};
}

std::string_view bundled_former_communes() noexcept {
    return {tocsin_former_data, static_cast<std::size_t>(tocsin_former_size)};
}

}  // namespace tocsin
