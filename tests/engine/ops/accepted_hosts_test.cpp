#include "engine/ops/accepted_hosts.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(AcceptedHosts, AreWhatNobodyElseCanOwn) {
    const accepted_hosts hosts;
    for (const std::string host :
         {"127.0.0.1", "127.0.0.1:9464", "10.1.2.3:80", "[::1]", "[::1]:9464", "[fe80::1]:9464", "localhost",
          "LocalHost:9464", "app.localhost", "tocsin", "tocsin:9464", "tocsin-1", "push.internal",
          "node7.local:9464", "tocsin.prod.svc", "tocsin.prod.svc.cluster.local", "nas.home.arpa", "tocsin.",
          "localhost."}) {
        EXPECT_TRUE(hosts.accepts(host)) << host;
    }
}

TEST(AcceptedHosts, AreNoNamesThatPublicDnsCanHave) {
    const accepted_hosts hosts;
    for (const std::string host :
         {"", ":9464", "rebound.attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example",
          "attacker.example:9464", "attacker.example.", "local.example", "xlocalhost.fr", "127.0.0.1:9464:1",
          "127.0.0.1:99999x", "[::1", "[::1]x", "[attacker.example]", "user@localhost", "localhost/x", "a b",
          ".", "attacker.example,localhost"}) {
        EXPECT_FALSE(hosts.accepts(host)) << host;
    }
}

TEST(AcceptedHosts, AreWhatIsConfigured) {
    accepted_hosts hosts;
    hosts.add("Tocsin.example.org");
    hosts.add("*.push.example.org");
    EXPECT_TRUE(hosts.accepts("tocsin.example.org:9464"));
    EXPECT_TRUE(hosts.accepts("TOCSIN.EXAMPLE.ORG"));
    EXPECT_TRUE(hosts.accepts("a.push.example.org"));
    EXPECT_TRUE(hosts.accepts("b.a.push.example.org"));
    EXPECT_FALSE(hosts.accepts("push.example.org"));
    EXPECT_FALSE(hosts.accepts("xpush.example.org"));
    EXPECT_FALSE(hosts.accepts("a.tocsin.example.org"));
}

TEST(AcceptedHosts, PatternsHaveNeitherSchemeNorPort) {
    for (const char* const good : {"tocsin.example.org", "*.example.org", "tocsin"}) {
        EXPECT_TRUE(is_host_pattern(good)) << good;
    }
    for (const char* const bad :
         {"", "*", "*.", "https://tocsin.example.org", "tocsin:9464", "a.*.org", ".org", "a b"}) {
        EXPECT_FALSE(is_host_pattern(bad)) << bad;
    }
}

}  // namespace
}  // namespace tocsin
