#include "tools/tocsin/page_routes.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// The size is measured by the assembler: subtracting two symbols is nothing that C++ defines.
#define TOCSIN_ASSET(name, file)                                 \
    asm(".pushsection .rodata\n"                                 \
        ".balign 8\n"                                            \
        "tocsin_page_" #name                                     \
        "_size: .quad 2f - 1f\n"                                 \
        "tocsin_page_" #name                                     \
        "_data:\n"                                               \
        "1: .incbin \"" file                                     \
        "\"\n"                                                   \
        "2: .byte 0\n"                                           \
        ".global tocsin_page_" #name "_size, tocsin_page_" #name \
        "_data\n"                                                \
        ".popsection\n");                                        \
    extern "C" {                                                 \
    extern const char tocsin_page_##name##_data[];               \
    extern const std::uint64_t tocsin_page_##name##_size;        \
    }

TOCSIN_ASSET(index, "index.html")
TOCSIN_ASSET(icon, "icon.svg")
TOCSIN_ASSET(style, "page.css")
TOCSIN_ASSET(reasons, "reasons.js")
TOCSIN_ASSET(words, "words.js")
TOCSIN_ASSET(map, "map.js")
TOCSIN_ASSET(page, "page.js")
TOCSIN_ASSET(plot, "vendor/uPlot.iife.min.js")
TOCSIN_ASSET(plot_style, "vendor/uPlot.min.css")
TOCSIN_ASSET(departments, "departments-map.json")
#undef TOCSIN_ASSET

namespace tocsin::cli {
namespace {

struct asset {
    std::string_view path;
    std::string_view type;
    const char* data;
    const std::uint64_t& size;
};

constexpr std::string_view script = "text/javascript; charset=utf-8";
constexpr std::string_view style = "text/css; charset=utf-8";

const std::array assets{
    asset{"/", "text/html; charset=utf-8", tocsin_page_index_data, tocsin_page_index_size},
    asset{"/icon.svg", "image/svg+xml", tocsin_page_icon_data, tocsin_page_icon_size},
    asset{"/page.css", style, tocsin_page_style_data, tocsin_page_style_size},
    asset{"/reasons.js", script, tocsin_page_reasons_data, tocsin_page_reasons_size},
    asset{"/words.js", script, tocsin_page_words_data, tocsin_page_words_size},
    asset{"/map.js", script, tocsin_page_map_data, tocsin_page_map_size},
    asset{"/page.js", script, tocsin_page_page_data, tocsin_page_page_size},
    asset{"/vendor/uPlot.iife.min.js", script, tocsin_page_plot_data, tocsin_page_plot_size},
    asset{"/vendor/uPlot.min.css", style, tocsin_page_plot_style_data, tocsin_page_plot_style_size},
    asset{
        "/departments-map.json", "application/json", tocsin_page_departments_data,
        tocsin_page_departments_size},
};

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

admin_response answer_with(const asset& file) {
    admin_response out;
    out.content_type = file.type;
    out.body.assign(file.data, static_cast<std::size_t>(file.size));
    out.headers = {
        {"Content-Security-Policy", std::string(policy)},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"}};
    return out;
}

}  // namespace

void add_page_routes(admin_server& server) {
    // "/" would be the beginning of every path: what is not there has to stay a 404 of the server's own.
    server.route("GET", "/", [](const admin_request& request) {
        return request.path == "/" ? answer_with(assets.front())
                                   : admin_error(404, "there is no " + std::string(request.path) + " here");
    });
    for (const asset& file : assets) {
        if (file.path != "/") {
            server.route("GET", file.path, [&file](const admin_request&) { return answer_with(file); });
        }
    }
}

}  // namespace tocsin::cli
