#include "tools/simulator/workspace.hpp"

#include <iterator>

#include <fmt/format.h>

namespace tocsin::sim {
namespace {

/// A TOML basic string.
std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string toml_list(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : ", ") + toml_text(word);
    }
    return "[" + out + "]";
}

std::string https(const std::string& address, std::uint16_t port) {
    return fmt::format("https://{}:{}", url_host(address), port);
}

void write_app(
    std::string& out, const app_options& app, const simulator_options& options, const bound_ports& ports) {
    auto line = std::back_inserter(out);
    fmt::format_to(line, "\n[[app]]\nid = {}\ncommunes = {}\n", toml_text(app.id), toml_list(app.communes));
    fmt::format_to(line, "  [app.apns]\n");
    fmt::format_to(line, "  url = {}\n", toml_text(https(options.address, ports.apns)));
    fmt::format_to(line, "  sandbox_url = {}\n", toml_text(https(options.address, ports.sandbox)));
    fmt::format_to(line, "  topic = {}\n", toml_text(app.topic));
    if (app.mutual_tls) {
        fmt::format_to(line, "  certificate_file = {}\n", toml_text(app.id + "-client.pem"));
        fmt::format_to(line, "  certificate_key_file = {}\n", toml_text(app.id + "-client-key.pem"));
    } else {
        fmt::format_to(line, "  team_id = {}\n", toml_text(app.team_id));
        fmt::format_to(line, "  key_id = {}\n", toml_text(app.key_id));
        fmt::format_to(line, "  key_file = {}\n", toml_text("AuthKey_" + app.key_id + ".p8"));
    }
    fmt::format_to(line, "  ca_file = \"ca.pem\"\n  rate = {}\n", app.apns_rate);
    fmt::format_to(line, "  [app.fcm]\n");
    fmt::format_to(line, "  url = {}\n", toml_text(https(options.address, ports.fcm)));
    fmt::format_to(
        line, "  service_account_file = {}\n", toml_text("service-account-" + app.project_id + ".json"));
    fmt::format_to(line, "  ca_file = \"ca.pem\"\n  rate = {}\n", app.fcm_rate);
    if (options.webpush) {
        fmt::format_to(line, "  [app.webpush]\n");
        fmt::format_to(line, "  vapid_key_file = {}\n", toml_text("vapid-" + app.id + ".pem"));
        fmt::format_to(line, "  subject = \"mailto:push@example.fr\"\n");
        fmt::format_to(line, "  url = \"https://www.example.fr/\"\n");
        fmt::format_to(line, "  services = [{}]\n", toml_text(push_origin(ports.webpush)));
        fmt::format_to(line, "  ca_file = \"ca.pem\"\n  rate = {}\n", app.webpush_rate);
    }
}

}  // namespace

std::vector<app_options> default_apps() {
    app_options mairies;
    mairies.id = "mairies";
    mairies.communes = {"*"};
    mairies.topic = "fr.example.mairies";
    mairies.team_id = "ABCDE12345";
    mairies.key_id = "KEY1234567";
    mairies.project_id = "mairies-app";

    app_options dijon;
    dijon.id = "dijon";
    dijon.communes = {"21231"};
    dijon.topic = "fr.example.dijon";
    dijon.team_id = "DIJON21231";
    dijon.key_id = "KEYDIJON21";
    dijon.project_id = "dijon-app";
    return {mairies, dijon};
}

app_options dedicated_app(const std::string& commune) {
    app_options out;
    out.id = "ville-" + commune;
    out.communes = {commune};
    out.topic = "fr.example.ville" + commune;
    out.team_id = "VILLE" + commune;
    out.key_id = "CLEF0" + commune;
    out.project_id = "ville-" + commune + "-app";
    return out;
}

std::string url_host(const std::string& address) {
    if (address == "0.0.0.0" || address == "::") {
        return "localhost";
    }
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::string push_origin(std::uint16_t port) {
    return fmt::format("https://localhost:{}", port);
}

std::string token_uri(const std::string& address, std::uint16_t port) {
    return https(address, port) + "/token";
}

std::string configuration_text(const simulator_options& options, const bound_ports& ports) {
    std::string out =
        "# Tocsin against its provider simulator. Written anew at each start of `tocsin sim`:\n"
        "# copy it before you change it. Paths are relative to this file.\n\n";
    auto line = std::back_inserter(out);
    fmt::format_to(
        line, "[redis]\nurl = {}\nprefix = {}\n", toml_text(options.redis_url),
        toml_text(options.redis_prefix));
    fmt::format_to(line, "\n[admin]\nlisten = {}\n", toml_text(options.admin_listen));
    for (const app_options& app : options.apps) {
        write_app(out, app, options, ports);
    }
    return out;
}

}  // namespace tocsin::sim
