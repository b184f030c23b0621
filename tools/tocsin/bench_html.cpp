#include "tools/tocsin/bench_html.hpp"

#include "tools/tocsin/bench_charts.hpp"
#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/bench_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;
constexpr std::string_view head =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem;"
    "color:#1b1b1b}table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}"
    "svg text{font-size:12px;fill:#555}.line{fill:none;stroke:#1857a4;stroke-width:2}"
    ".bar{fill:#1857a4}.grid{stroke:#ddd}.bad{color:#a41818}</style>\n";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string figures_table(const json::object& report) {
    std::string out = "<h2>Figures</h2>\n<table>\n";
    for (const bench_figure& figure : bench_figures()) {
        const json::value& value = report.at(figure.name);
        if (!value.is_null()) {
            out += fmt::format(
                "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td>{}</td></tr>\n", figure.name,
                bench_value(figure.name, value), escaped(figure.meaning));
        }
    }
    return out + "</table>\n";
}

std::string text_of(const json::value& value) {
    return escaped(value.is_string() ? std::string(value.as_string()) : json::serialize(value));
}

std::string conditions(const json::object& report) {
    std::string out = "<h2>Conditions</h2>\n<table>\n";
    for (const std::string_view part : {"settings", "machine"}) {
        for (const auto& [name, value] : report.at(part).as_object()) {
            out += fmt::format(
                "<tr><td>{}</td><td>{}</td></tr>\n", escaped(std::string_view(name)), text_of(value));
        }
    }
    return out +
           fmt::format("<tr><td>version</td><td>{}</td></tr>\n</table>\n", text_of(report.at("version")));
}

}  // namespace

std::string bench_page(const boost::json::object& report) {
    const std::string scenario = text_of(report.at("scenario"));
    std::string out(head);
    out += fmt::format("<title>tocsin bench {0}</title></head><body>\n<h1>tocsin bench {0}</h1>\n", scenario);
    out += fmt::format(
        "<p>Limit: <b>{}</b> ({}).</p>\n", text_of(report.at("limit")), text_of(report.at("limit_reason")));
    for (const json::value& problem : report.at("problems").as_array()) {
        out += fmt::format("<p class=\"bad\">{}</p>\n", text_of(problem));
    }
    out += accepted_chart(report.at("timeline").as_array());
    out += throughput_chart(
        report.at("timeline").as_array(),
        fmt::format("{}: {}", text_of(report.at("limit")), text_of(report.at("limit_reason"))));
    out += percentile_chart(
        report.at("accepted_percentiles").as_array(),
        percentile_pairs(report.at("push_histogram").as_array()));
    out += latency_chart(report.at("push_histogram").as_array());
    out += figures_table(report);
    out += conditions(report);
    return out + "</body></html>\n";
}

}  // namespace tocsin::cli
