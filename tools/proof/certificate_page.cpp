#include "engine/core/digest.hpp"
#include "engine/core/json_members.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/plan/outcome.hpp"
#include "tools/proof/certificate.hpp"
#include "tools/proof/certificate_chart.hpp"
#include "tools/proof/certificate_parts.hpp"
#include "tools/proof/certificate_style.hpp"
#include "tools/proof/french.hpp"

#include <iterator>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_title = 95;
constexpr std::size_t large_title = 60;  // Bytes; a longer one is set smaller.
constexpr std::size_t longest_body = 300;
constexpr std::size_t longest_audience = 110;  // Bytes; what does not fit is counted.
constexpr std::size_t most_rows_of_a_roomy_page = 8;

// The bell of the village church, with its stroke.
constexpr std::string_view bell = R"svg(<svg viewBox="0 0 48 48" aria-hidden="true" focusable="false">
<path d="M24 5a3 3 0 0 1 3 3v1.4c6 1.4 9.6 6.3 9.6 12.9 0 6.7 1.7 9.4 4.4 12.2.8.9.2 2.5-1.1 2.5H8.1c-1.3 0-1.9-1.6-1.1-2.5 2.7-2.8 4.4-5.5 4.4-12.2 0-6.6 3.6-11.5 9.6-12.9V8a3 3 0 0 1 3-3z" fill="#1d4580"/>
<path d="M18.6 39.5h10.8a5.4 5.4 0 0 1-10.8 0z" fill="#b3471d"/>
</svg>
)svg";

std::string header(const certificate_subject& subject) {
    const std::string_view state = text_at(subject.result, "state");
    std::string_view words = "Envoi terminé";
    std::string_view mark = "state";
    if (subject.dry_run) {
        words = "Essai à blanc";
        mark = "state test";
    } else if (state == "cancelled") {
        words = "Envoi annulé";
        mark = "state bad";
    } else if (state == "expired") {
        words = "Envoi expiré";
        mark = "state bad";
    } else if (state != "finished") {
        words = "Envoi en échec";
        mark = "state bad";
    }
    const std::string title = subject.title.empty() ? subject.event : subject.title;
    return fmt::format(
        "<header>\n{}<div class=\"text\"><p class=\"kind\">Certificat de portée</p>\n<h1{} "
        "dir=\"auto\">{}</h1></div>\n"
        "<p class=\"{}\">{}</p>\n</header>\n",
        bell, title.size() > large_title ? " class=\"long\"" : "", escaped(shortened(title, longest_title)),
        mark, value("state", words));
}

std::string lede(const certificate_subject& subject, const reach_row& sum) {
    const std::uint64_t accepted = count_at(subject.result, "accepted").value_or(0);
    const std::uint64_t targeted = count_at(subject.result, "targeted").value_or(0);
    const std::size_t communes = subject.rows.size();
    std::string out = "<p class=\"lede\">";
    if (subject.dry_run) {
        out += "Cet envoi était un essai" + std::string(french::wide) +
               ": rien n’a été remis aux services de notification. Les nombres sont ceux d’un envoi réel. ";
    }
    out += fmt::format(
        "Sur <strong>{}</strong> appareil{} visé{}, <strong>{}</strong> {} été accepté{} par les services de "
        "notification",
        value("targeted", french::number(targeted)), targeted > 1 ? "s" : "", targeted > 1 ? "s" : "",
        value("accepted", french::number(accepted)), accepted > 1 ? "ont" : "a", accepted > 1 ? "s" : "");
    const std::string people = value("population", french::number(sum.of(measure::population).value_or(0)));
    if (communes == 1 && !subject.rows.front().name.empty()) {
        out += fmt::format(
            ", {}, commune de <strong>{}</strong> habitants",
            escaped(french::in_commune(subject.rows.front().name)), people);
    } else if (communes != 0) {
        out += fmt::format(
            ", dans <strong>{}</strong> commune{} <strong>{}</strong> habitants",
            value("communes", french::number(communes)), communes > 1 ? "s qui ont ensemble" : " de", people);
    }
    return out + ".</p>\n";
}

std::string figure(std::string_view label, std::string_view name, std::string_view text, bool seen = false) {
    return fmt::format(
        "<div{}><dt>{}</dt>{}</div>\n", seen ? " class=\"seen\"" : "", label, value(name, text, "dd"));
}

std::string figures(const certificate_subject& subject, const reach_row& sum) {
    const std::uint64_t population = sum.of(measure::population).value_or(0);
    const std::uint64_t accepted = count_at(subject.result, "accepted").value_or(0);
    const auto count = [](const std::optional<std::uint64_t>& of) {
        return of ? french::number(*of) : std::string("—");
    };
    const auto reach = [&](const std::optional<std::uint64_t>& part) {
        return part && population != 0 ? french::percent(*part, population) : std::string("—");
    };
    std::string out = "<dl class=\"figures\">\n";
    out += figure("Habitants", "population", population == 0 ? "—" : french::number(population));
    out += figure(
        "Appareils visés", "targeted", french::number(count_at(subject.result, "targeted").value_or(0)));
    out += figure("Acceptés", "accepted", french::number(accepted));
    out += figure("Portée (acceptés/habitants)", "reach", reach(accepted));
    if (sum.confirmed()) {
        out += figure("Reçus", "received", count(sum.of(measure::received)), true);
        out += figure("Affichés", "displayed", count(sum.of(measure::displayed)), true);
        out += figure("Ouverts", "opened", count(sum.of(measure::opened)), true);
        out += figure("Portée confirmée", "confirmed_reach", reach(sum.confirmed()), true);
    }
    return out + "</dl>\n";
}

std::string audience_text(const std::vector<std::string>& audience) {
    std::string out;
    std::size_t length = 0;
    for (std::size_t i = 0; i < audience.size(); ++i) {
        length += audience[i].size();
        const std::size_t left = audience.size() - i;
        if (i != 0 && left > 1 && length > longest_audience) {
            return out + " et " + value("audience", french::number(left) + " autres");
        }
        out += (i == 0 ? "" : ", ") + escaped(shortened(audience[i], longest_audience));
    }
    return out.empty() ? "—" : out;
}

std::string priority_text(const std::optional<priority>& urgency) {
    if (!urgency) {
        return "—";
    }
    switch (*urgency) {
        case priority::critical: return "critique";
        case priority::high: return "haute";
        case priority::normal: return "normale";
        case priority::low: return "basse";
    }
    return "—";
}

std::string message_section(const certificate_subject& subject) {
    std::string out =
        "<div class=\"two\">\n<section aria-labelledby=\"message\">\n<h2 id=\"message\">Message "
        "envoyé</h2>\n";
    if (subject.title.empty() && subject.body.empty()) {
        out += "<p>Notification silencieuse, sans texte.</p>\n";
    } else {
        out += fmt::format(
            "<blockquote dir=\"auto\">{}</blockquote>\n",
            escaped(shortened(subject.body.empty() ? subject.title : subject.body, longest_body)));
    }
    out +=
        "</section>\n<section aria-labelledby=\"facts\">\n<h2 id=\"facts\">Envoi</h2>\n<dl "
        "class=\"facts\">\n";
    const auto fact = [&](std::string_view label, const std::string& text) {
        fmt::format_to(std::back_inserter(out), "<dt>{}</dt><dd>{}</dd>\n", label, text);
    };
    fact("Lu par Tocsin", value("accepted_at", time_in(subject.result, "accepted_at")));
    fact("Achevé", value("finished_at", time_in(subject.result, "finished_at")));
    fact("Destinataires", audience_text(subject.audience));
    fact("Priorité", priority_text(subject.priority));
    fact("Identifiant", value("event", escaped(subject.event)));
    return out + "</dl>\n</section>\n</div>\n";
}

std::string outcomes_table(const json::object& result) {
    constexpr std::array<std::string_view, outcome_count> words{
        "Acceptés",        "Disparus (application retirée)", "Refusés", "Expirés avant l’envoi",
        "Annulés à temps", "Catégorie en sourdine",          "Échecs"};
    const std::uint64_t targeted = count_at(result, "targeted").value_or(0);
    std::string out =
        "<section aria-labelledby=\"outcomes\">\n<h2 id=\"outcomes\">Issue de chaque appareil</h2>\n"
        "<table><thead><tr><th scope=\"col\">Issue</th><th scope=\"col\">Appareils</th>"
        "<th scope=\"col\">Part</th></tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const std::string_view name = outcome_names[i];
        const std::uint64_t count = count_at(result, name).value_or(0);
        fmt::format_to(
            std::back_inserter(out), "<tr><th scope=\"row\">{}</th>{}{}</tr>\n", words[i],
            counted(name, count),
            value(
                fmt::format("{}.share", name), targeted == 0 ? "—" : french::percent(count, targeted), "td"));
    }
    fmt::format_to(
        std::back_inserter(out),
        "</tbody>\n<tfoot><tr><th scope=\"row\">Visés</th>{}<td></td></tr></tfoot></table>\n",
        counted("targeted", targeted));
    return out + "</section>\n";
}

std::string chart_section(const json::object& result) {
    std::string out =
        "<section aria-labelledby=\"pace\">\n<h2 id=\"pace\">Acceptations au fil du temps</h2>\n";
    const std::string chart = acceptance_chart(result);
    if (chart.empty()) {
        return out + "<p>Aucune acceptation.</p>\n</section>\n";
    }
    out += "<figure>\n" + chart + "</figure>\n<dl class=\"times\">\n";
    for (const std::string_view share : {"50", "90", "99"}) {
        const std::string name = fmt::format("p{}_ms", share);
        fmt::format_to(
            std::back_inserter(out), "<div><dt>{}{}% acceptés en</dt>{}</div>\n", share, french::narrow,
            value(name, french::span(count_at(result, name).value_or(0)), "dd"));
    }
    return out + "</dl>\n</section>\n";
}

std::string footer(const certificate_subject& subject, const certificate_stamp& stamp, const reach_row& sum) {
    std::string out = "<footer>\n<p>";
    out += fmt::format(
        "<strong>Accepté</strong>{0}: le service de notification (Apple, Google ou le navigateur) a pris la "
        "notification en charge pour cet appareil. Ce n’est pas la preuve qu’elle a été lue. ",
        french::wide);
    out += sum.confirmed()
               ? fmt::format(
                     "<strong>Reçu, affiché, ouvert</strong>{}: ce que l’application elle-même en a dit, "
                     "sans nommer "
                     "ni appareil ni personne. ",
                     french::wide)
               : std::string("Aucun accusé de réception n’a été demandé aux téléphones pour cet envoi. ");
    const std::uint64_t repeats = count_at(subject.result, "possible_duplicates").value_or(0);
    if (repeats != 0) {
        out += fmt::format(
            "Notifications peut-être envoyées deux fois{}: {}. ", french::wide,
            value("possible_duplicates", french::number(repeats)));
    }
    if (const std::uint64_t elsewhere = count_at(subject.result, "accepted").value_or(0);
        !subject.rows.empty() && elsewhere > sum.of(measure::accepted).value_or(0)) {
        out += fmt::format(
            "Appareils acceptés hors de toute commune{}: {}. ", french::wide,
            value("elsewhere", french::number(elsewhere - sum.of(measure::accepted).value_or(0))));
    }
    const std::string seal = sha256_hex(
        canonical_json(json::value(json::object{{"result", subject.result}, {"stamp", stamp_tag(stamp)}})));
    out += fmt::format(
        "</p>\n<p>Établi le {} (heure de Paris).{}</p>\n"
        "<p>SHA-256 du résultat{}: <code>{}</code><br>SHA-256 du certificat{}: <code>{}</code><br>"
        "Vérifier{}: <code>tocsin report {} --verify FICHIER.html</code></p>\n</footer>\n",
        value("as_of", french::moment(stamp.as_of)),
        sum.confirmed() ? " Les accusés de réception venus depuis n’y figurent pas." : "", french::wide,
        value("sha256", result_digest(subject.result)), french::wide, value("seal", seal), french::wide,
        escaped(subject.event));
    return out;
}

}  // namespace

std::string certificate_page(const certificate_subject& given, const certificate_stamp& stamp) {
    certificate_subject subject = given;
    sort_rows(subject.rows, "name");
    const reach_row sum = sum_of(subject.rows);
    const std::string title = subject.title.empty() ? subject.event : subject.title;
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n";
    out += stamp_tag(stamp);
    out += fmt::format(
        "<title>Certificat de portée – {}</title>\n<style>{}</style>\n</head>\n<body{}>\n<main>\n",
        escaped(shortened(title, longest_title)), certificate_style,
        subject.rows.size() <= most_rows_of_a_roomy_page ? " class=\"roomy\"" : "");
    out += header(subject) + lede(subject, sum) + figures(subject, sum) + message_section(subject);
    out +=
        "<div class=\"two\">\n" + chart_section(subject.result) + outcomes_table(subject.result) + "</div>\n";
    out += communes_section(subject.rows, sum) + footer(subject, stamp, sum);
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace tocsin::proof
