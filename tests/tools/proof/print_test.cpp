#include "tools/proof/certificate.hpp"
#include "tools/tocsin/child_process.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

// How a browser prints a certificate. Skipped where there is none: it is nothing that a build needs.

namespace tocsin::proof {
namespace {

namespace fs = std::filesystem;

constexpr const char* browser = "/usr/bin/chromium";

/// Every column, texts as long as they can be, and long names.
std::string page_with(std::size_t communes) {
    certificate_subject subject;
    subject.event = "prefecture-cote-d-or:vigilance-crues:2026-11-23T06:00:00Z:ouche-tille-vingeanne";
    subject.result =
        boost::json::parse(R"({"state":"finished","targeted":2200000,"accepted":2100000,"dead":90000,
        "rejected":10000,"expired":0,"cancelled":0,"muted":0,"failed":0,"possible_duplicates":70,
        "accepted_at":1795413600000,"finished_at":1795413605000,"p50_ms":850,"p90_ms":2047,"p99_ms":4351})")
            .as_object();
    for (int i = 0; i < 40; ++i) {
        subject.title += "Vigilance ";
        subject.body += "Évitez les quais de l’Ouche. ";
    }
    for (std::size_t i = 0; i < communes; ++i) {
        reach_row row;
        row.insee = "21" + std::to_string(100 + i);
        // The longest name there is takes two lines; a few of such may be among 25.
        row.name =
            i % 8 == 0 ? "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson" : "Saint-Apollinaire-sur-Ouche";
        for (std::size_t m = 0; m < measure_count; ++m) {
            row.counts[m] = 200'000 - 10'000 * m;
        }
        subject.rows.push_back(row);
    }
    for (int i = 0; i < 5; ++i) {
        subject.audience.push_back("Communauté urbaine du Grand Dijon (242100410)");
    }
    return certificate_page(
        subject, stamp_of(subject, wall_time(std::chrono::milliseconds(1'795'413'700'000))));
}

std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Sheets of paper; 0: the browser printed nothing.
std::size_t sheets_of(const std::string& page) {
    std::string pattern = (fs::temp_directory_path() / "tocsin-print-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        return 0;
    }
    const fs::path folder = pattern;
    std::ofstream(folder / "page.html", std::ios::binary) << page;
    auto printing = cli::child_process::start(
        browser,
        {"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--user-data-dir=" + (folder / "profile").string(),
         "--no-pdf-header-footer", "--print-to-pdf=" + (folder / "page.pdf").string(),
         "file://" + (folder / "page.html").string()},
        folder / "log");
    std::size_t sheets = 0;
    if (printing.has_value()) {
        // Readable once the process has ended.
        pollfd ended{static_cast<int>(syscall(SYS_pidfd_open, printing->id(), 0)), POLLIN, 0};
        constexpr int patience_ms = 90'000;
        if (ended.fd >= 0) {
            poll(&ended, 1, patience_ms);
            close(ended.fd);
        }
        printing->stop(std::chrono::seconds(1));
        const std::string paper = read_file(folder / "page.pdf");
        const std::string mark = "/Type /Page\n";
        for (std::size_t at = paper.find(mark); at != std::string::npos; at = paper.find(mark, at + 1)) {
            ++sheets;
        }
    }
    fs::remove_all(folder);
    return sheets;
}

TEST(PrintTest, TwentyFiveCommunesAreOneSheetAndMoreAreFurtherOnes) {
    if (!fs::exists(browser)) {
        GTEST_SKIP() << "no " << browser;
    }
    EXPECT_EQ(sheets_of(page_with(25)), 1U);
    EXPECT_EQ(sheets_of(page_with(80)), 2U);
}

}  // namespace
}  // namespace tocsin::proof
