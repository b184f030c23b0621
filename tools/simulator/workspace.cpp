#include "tools/simulator/workspace.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "tools/simulator/jwt.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/rand.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::sim {
namespace {

namespace fs = std::filesystem;

constexpr auto authority_certificate = "ca.pem";
constexpr auto authority_key = "ca-key.pem";
constexpr mode_t secret = 0600;
constexpr mode_t open_to_read = 0644;

refusal unusable(const fs::path& path, const std::string& why) {
    return refusal{"directory", fmt::format("{} cannot be used: {}", path.string(), why)};
}

refusal no_key() {
    return refusal{"openssl", "OpenSSL cannot make a key: is its default provider configured?"};
}

/// Empty if there is no such file: what is missing is made.
std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Replaces the file as a whole, so that a reader never sees half of it.
parsed<> write_file(const fs::path& path, std::string_view text, mode_t mode) {
    const fs::path fresh = path.string() + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file < 0) {
        return unusable(fresh, std::system_category().message(errno));
    }
    // A file left by an interrupted run keeps its mode when it is opened.
    bool written = ::fchmod(file, mode) == 0;
    while (written && !text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        written = count > 0;
        text.remove_prefix(written ? static_cast<std::size_t>(count) : 0);
    }
    const int problem = errno;
    ::close(file);
    if (!written) {
        return unusable(fresh, std::system_category().message(problem));
    }
    std::error_code ec;
    fs::rename(fresh, path, ec);
    if (ec) {
        return unusable(path, ec.message());
    }
    return {};
}

parsed<> prepare_directory(const fs::path& directory) {
    std::error_code ec;
    const auto status = fs::status(directory, ec);
    if (fs::exists(status)) {
        if (!fs::is_directory(status)) {
            return unusable(directory, "it is not a directory");
        }
        // Its mode is about to be changed and files are about to be replaced: be sure it is ours.
        const bool empty = fs::is_empty(directory, ec);
        if (ec) {
            return unusable(directory, ec.message());
        }
        if (!empty && !fs::exists(directory / authority_key, ec)) {
            return unusable(
                directory, "it holds files that are not the simulator's; name an empty or new directory");
        }
    } else if (!fs::create_directories(directory, ec) && ec) {
        return unusable(directory, ec.message());
    }
    fs::permissions(directory, fs::perms::owner_all, ec);
    if (ec) {
        return unusable(directory, ec.message());
    }
    if (::access(directory.c_str(), W_OK | X_OK) != 0) {
        return unusable(directory, std::system_category().message(errno));
    }
    return {};
}

parsed<authority> load_authority(const fs::path& directory) {
    if (auto kept = authority::from_pem(
            read_file(directory / authority_certificate), read_file(directory / authority_key))) {
        return *std::move(kept);
    }
    auto made = authority::create();
    if (!made) {
        return no_key();
    }
    // The key first: it marks the directory as ours.
    if (auto done = write_file(directory / authority_key, to_pem(made->key()), secret); !done) {
        return done.error();
    }
    if (auto done = write_file(directory / authority_certificate, to_pem(made->certificate()), open_to_read);
        !done) {
        return done.error();
    }
    return *std::move(made);
}

std::string account_file(const std::string& project_id) {
    return "service-account-" + project_id + ".json";
}

/// Empty unless the options can be told apart in what they name.
std::optional<refusal> conflict(const simulator_options& options) {
    for (const app_options& app : options.apps) {
        for (const std::string* word : {&app.id, &app.team_id, &app.key_id, &app.project_id}) {
            if (word->empty() || !is_word(*word, "-_.")) {
                return refusal{
                    "apps", fmt::format(
                                "app \"{}\": id, team_id, key_id and project_id must be made of letters, "
                                "digits, '-', '_' and '.'",
                                app.id)};
            }
        }
        for (const app_options& other : options.apps) {
            if (&app != &other && app.id == other.id) {
                return refusal{"apps", fmt::format("two apps have the id \"{}\"", app.id)};
            }
            if (app.key_id == other.key_id && app.team_id != other.team_id) {
                return refusal{"apps", fmt::format("two teams have the key id \"{}\"", app.key_id)};
            }
        }
    }
    return std::nullopt;
}

}  // namespace

parsed<workspace> workspace::open(const simulator_options& options) {
    if (auto problem = conflict(options)) {
        return *std::move(problem);
    }
    if (auto ready = prepare_directory(options.directory); !ready) {
        return ready.error();
    }
    auto ca = load_authority(options.directory);
    if (!ca) {
        return ca.error();
    }
    workspace made(options.directory, *std::move(ca));
    for (const app_options& app : options.apps) {
        if (auto done = made.load_app(app); !done) {
            return done.error();
        }
    }
    auto oauth = made.load_secret("oauth-secret");
    auto push = made.load_secret("push-secret");
    if (!oauth || !push) {
        return oauth ? std::move(push).error() : std::move(oauth).error();
    }
    made.known_.oauth_secret = *std::move(oauth);
    auto subscribers = browsers::create(*std::move(push));
    if (!subscribers) {
        return no_key();
    }
    made.known_.subscribers = *std::move(subscribers);
    return made;
}

parsed<> workspace::load_app(const app_options& app) {
    if (!known_.find_key(app.key_id)) {
        const fs::path file = directory_ / ("AuthKey_" + app.key_id + ".p8");
        key_handle key = key_from_pem(read_file(file));
        if (key == nullptr || EVP_PKEY_is_a(key.get(), "EC") != 1) {
            key = make_ec_key();
            if (key == nullptr) {
                return no_key();
            }
            if (auto done = write_file(file, to_pem(*key), secret); !done) {
                return done;
            }
        }
        known_.keys.push_back(
            {app.key_id, app.team_id, app.topic_specific_key ? app.topic : "", app.key_environment,
             std::move(key)});
    }
    if (!known_.find_topic(app.topic)) {
        known_.topics.push_back({app.topic, app.team_id});
    }
    if (auto done = load_client_certificate(app); !done) {
        return done;
    }
    if (auto done = load_vapid_key(app); !done) {
        return done;
    }
    return known_.find_project(app.project_id) ? parsed<>() : load_project(app.project_id);
}

parsed<> workspace::load_client_certificate(const app_options& app) const {
    const fs::path certificate_file = directory_ / (app.id + "-client.pem");
    const fs::path key_file = directory_ / (app.id + "-client-key.pem");
    const auto kept = certificate_from_pem(read_file(certificate_file));
    const auto kept_key = key_from_pem(read_file(key_file));
    if (kept != nullptr && kept_key != nullptr && X509_check_private_key(kept.get(), kept_key.get()) == 1 &&
        ca_.issued(*kept) && topic_of(*kept) == app.topic) {
        return {};
    }
    const key_handle key = make_ec_key();
    const auto certificate = key == nullptr ? nullptr : ca_.issue_client(*key, app.topic);
    if (certificate == nullptr) {
        return no_key();
    }
    if (auto done = write_file(key_file, to_pem(*key), secret); !done) {
        return done;
    }
    return write_file(certificate_file, to_pem(*certificate), open_to_read);
}

parsed<> workspace::load_project(const std::string& project_id) {
    const auto text = read_file(directory_ / account_file(project_id));
    error_code ec;
    const auto kept = boost::json::parse(text.empty() ? "{}" : text, ec);
    fcm_project project;
    project.project_id = project_id;
    project.client_email = fmt::format("firebase-adminsdk-tocsin@{}.iam.gserviceaccount.com", project_id);
    if (!ec && kept.is_object()) {
        project.private_key_id = text_at(kept.get_object(), "private_key_id");
        project.key = key_from_pem(text_at(kept.get_object(), "private_key"));
    }
    if (project.key == nullptr || project.private_key_id.empty()) {
        std::string id(20, '\0');
        RAND_bytes(reinterpret_cast<unsigned char*>(id.data()), static_cast<int>(id.size()));
        project.private_key_id = to_hex(id);
        project.key = make_rsa_key();
        if (project.key == nullptr) {
            return no_key();
        }
    }
    known_.projects.push_back(std::move(project));
    return {};
}

parsed<> workspace::load_vapid_key(const app_options& app) {
    const fs::path file = directory_ / ("vapid-" + app.id + ".pem");
    key_handle key = key_from_pem(read_file(file));
    if (key == nullptr || EVP_PKEY_is_a(key.get(), "EC") != 1) {
        key = make_ec_key();
        if (key == nullptr) {
            return no_key();
        }
        if (auto done = write_file(file, to_pem(*key), secret); !done) {
            return done;
        }
    }
    unsigned char* point = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &point);
    known_.vapid_keys.push_back(
        {app.id, base64url({reinterpret_cast<const char*>(point), point == nullptr ? 0 : size})});
    OPENSSL_free(point);
    return {};
}

parsed<std::string> workspace::load_secret(const std::string& name) const {
    const fs::path file = directory_ / name;
    std::string text = read_file(file);
    if (text.size() != 64) {
        std::string bytes(32, '\0');
        RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
        text = to_hex(bytes);
        if (auto done = write_file(file, text, secret); !done) {
            return done.error();
        }
    }
    return text;
}

parsed<> workspace::write_configuration(const simulator_options& options, const bound_ports& ports) const {
    for (const fcm_project& project : known_.projects) {
        const boost::json::object account{
            {"type", "service_account"},
            {"project_id", project.project_id},
            {"private_key_id", project.private_key_id},
            {"private_key", to_pem(*project.key)},
            {"client_email", project.client_email},
            {"token_uri", token_uri(options.address, ports.oauth)}};
        const auto text = boost::json::serialize(account) + "\n";
        if (auto done = write_file(directory_ / account_file(project.project_id), text, secret); !done) {
            return done;
        }
    }
    return write_file(directory_ / "tocsin.toml", configuration_text(options, ports), open_to_read);
}

}  // namespace tocsin::sim
