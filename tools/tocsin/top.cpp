#include "engine/core/json_members.hpp"
#include "tools/tocsin/admin_client.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr int between_looks_ms = 1'000;
constexpr std::size_t least_width = 40;
constexpr std::string_view alternate_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view normal_screen = "\x1b[?25h\x1b[?1049l";

struct extent {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

extent terminal_extent() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        return {};
    }
    return {std::max<std::size_t>(size.ws_col, least_width), size.ws_row};
}

/// Keys come one by one and unseen, on a screen of its own, until this goes.
class raw_terminal {
public:
    raw_terminal() {
        known_ = tcgetattr(STDIN_FILENO, &before_) == 0;
        if (known_) {
            termios raw = before_;
            raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
            tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        write_all(alternate_screen);
    }
    raw_terminal(const raw_terminal&) = delete;
    raw_terminal& operator=(const raw_terminal&) = delete;
    ~raw_terminal() {
        write_all(normal_screen);
        if (known_) {
            tcsetattr(STDIN_FILENO, TCSANOW, &before_);
        }
    }

    /// One write for a whole picture: nothing flickers.
    static void write_all(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
            if (written <= 0) {
                return;
            }
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }

private:
    termios before_{};
    bool known_ = false;
};

/// As a terminal may get it.
std::string shown_at(const json::object& from, std::string_view name) {
    return shown(text_at(from, name));
}

double number_at(const json::object& from, std::string_view name) {
    const json::value* const found = from.if_contains(name);
    return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

/// `text` in exactly `width` columns.
std::string fitted(std::string text, std::size_t width, bool to_the_right = false) {
    while (shown_width(text) > width && !text.empty()) {
        do {
            text.pop_back();
        } while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U);
        if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0xC0U) {
            text.pop_back();
        }
    }
    const std::string blanks(width - std::min(width, shown_width(text)), ' ');
    return to_the_right ? blanks + text : text + blanks;
}

std::string event_line(const json::object& event, std::size_t width) {
    const bool over = !event.contains("finished_at") || event.at("finished_at").is_null() ? false : true;
    std::string title = shown_at(event, "title");
    if (title.empty()) {
        title = shown_at(event, "event");
    }
    std::string rest;
    if (over) {
        rest = fitted(shown_at(event, "state"), 10);
    } else {
        const double progress = number_at(event, "progress");
        rest = fmt::format("{} {:3.0f} %", progress_line::bar(progress, 10), progress * 100);
    }
    rest += fitted(grouped(count_at(event, "accepted").value_or(0)), 12, true);
    rest +=
        fitted(over ? "" : grouped(static_cast<std::uint64_t>(number_at(event, "rate"))) + "/s", 11, true);
    const json::value* const left = event.if_contains("eta_seconds");
    rest += fitted(
        left == nullptr || left->is_null() ? "" : spoken_ms(left->to_number<double>() * 1'000), 9, true);
    const std::size_t taken = std::min(shown_width(rest) + 1, width - 1);
    return fitted(title, width - taken) + " " + rest;
}

std::vector<std::string> lane_lines(const json::object& status, std::size_t width) {
    struct sums {
        std::uint64_t waiting = 0;
        std::uint64_t in_flight = 0;
        std::uint64_t connections = 0;
        std::string bound;
    };
    std::map<std::string, sums> lanes;
    for (const json::value& one : list_at(status, "lanes")) {
        if (!one.is_object()) {
            continue;
        }
        const json::object& lane = one.get_object();
        sums& here = lanes[shown_at(lane, "app") + "/" + shown_at(lane, "platform")];
        here.waiting += count_at(lane, "waiting").value_or(0);
        here.in_flight += count_at(lane, "in_flight").value_or(0);
        here.connections += count_at(lane, "connections").value_or(0);
        const std::string paused = shown_at(lane, "paused");
        const std::string bound = shown_at(lane, "bound_by") + (paused.empty() ? "" : ": " + paused);
        if (here.bound.empty() || here.bound == "idle") {
            here.bound = bound;
        }
    }
    std::vector<std::string> out;
    for (const auto& [name, here] : lanes) {
        out.push_back(fitted(
            fitted(name, 24) + fitted(grouped(here.waiting), 10, true) +
                fitted(grouped(here.in_flight), 10, true) + fitted(grouped(here.connections), 6, true) +
                "  " + here.bound,
            width));
    }
    return out;
}

std::string picture(const std::optional<json::value>& asked, const std::string& listen, extent size) {
    std::vector<std::string> lines;
    const auto add = [&](std::string line) { lines.push_back(fitted(std::move(line), size.columns)); };
    const json::object none;
    const bool heard = asked && asked->is_object();
    const json::object& status = heard ? asked->get_object() : none;
    const json::value* const ready = status.if_contains("ready");
    const bool well = ready != nullptr && ready->is_bool() && ready->get_bool();
    add(fmt::format(
        "tocsin  {}  {}  q quits", heard ? shown_at(status, "instance") : listen,
        heard ? (well ? "ready" : "NOT READY") : "no engine answers here"));
    for (const json::value& check : list_at(status, "checks")) {
        if (check.is_object() && !shown_at(check.get_object(), "problem").empty()) {
            add("! " + shown_at(check.get_object(), "name") + ": " + shown_at(check.get_object(), "problem"));
        }
    }
    if (const std::string problem = shown_at(status, "redis_problem"); !problem.empty()) {
        add("! " + problem);
    }
    add("");
    const std::size_t fixed = 44;
    add(fitted("event", size.columns > fixed + 5 ? size.columns - fixed - 5 : 8) +
        "             accepted       rate     left");
    const auto lanes = lane_lines(status, size.columns);
    const std::size_t rest = lanes.size() + 5;
    for (const json::value& event : list_at(status, "events")) {
        if (lines.size() + rest >= size.rows || !event.is_object()) {
            break;
        }
        lines.push_back(fitted(event_line(event.get_object(), size.columns), size.columns));
    }
    add("");
    add(fitted("lane", 24) + "   waiting in flight conns  limited by");
    lines.insert(lines.end(), lanes.begin(), lanes.end());
    add("");
    add(fmt::format(
        "running {}   scheduled {}   not read yet {}   dead letters {}   engines {}",
        grouped(count_at(status, "running_total").value_or(0)),
        grouped(count_at(status, "scheduled_total").value_or(0)),
        grouped(count_at(part_at(part_at(status, "streams"), "events"), "lag").value_or(0)),
        grouped(count_at(part_at(status, "dead_letters"), "total").value_or(0)),
        grouped(count_at(status, "engines").value_or(0))));
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < size.rows; ++i) {
        out += i < lines.size() ? lines[i] : std::string();
        out += i + 1 < size.rows ? "\x1b[K\r\n" : "\x1b[K";
    }
    return out;
}

/// A key that ends it within `ms`, or a signal that woke us (a window of another size): then it is drawn
/// again.
bool asked_to_quit(int ms) {
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    if (poll(&keys, 1, ms) <= 0) {
        return false;
    }
    char key = 0;
    const ssize_t got = ::read(STDIN_FILENO, &key, 1);
    return got <= 0 || key == 'q' || key == 'Q' || key == 3 /* Ctrl-C */ || key == 4 /* Ctrl-D */;
}

int top(const common_options& common) {
    const std::string listen = load_settings(common, app_keys::unused).admin.listen;
    if (!stdout_is_terminal() || common.json) {
        const auto status = admin_get(listen, "/api/v1/status");
        if (!status) {
            throw command_end(exit_unreachable, "no engine answers at admin.listen (" + listen + ")");
        }
        print_json(*status);
        return exit_ok;
    }
    std::signal(SIGWINCH, [](int) {});
    const raw_terminal screen;
    do {
        const auto status = admin_get(listen, "/api/v1/status");
        raw_terminal::write_all(picture(status, listen, terminal_extent()));
    } while (!asked_to_quit(between_looks_ms));
    return exit_ok;
}

}  // namespace

command top_command() {
    return {
        .name = "top",
        .group = command_group::look,
        .summary = "Watch events, lanes and health in the terminal.",
        .examples =
            "tocsin top\n"
            "tocsin top --json\n",
        .details =
            "Asks the engine at `admin.listen` once a second, and draws what the page at the same address "
            "shows. `q` "
            "quits. If the output is not a terminal, or with `--json`, it prints the state once, as JSON.",
        .run = top,
    };
}

}  // namespace tocsin::cli
