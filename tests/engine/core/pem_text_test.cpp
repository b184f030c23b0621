#include "engine/core/pem_text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string block(const std::string& label, const std::string& between) {
    return "-----BEGIN " + label + "-----" + between + std::string(64, 'n') + between + "r+/=" + between +
           "-----END " + label + "-----" + between;
}

TEST(PemText, GetsItsLinesBackWhateverStandsBetweenThem) {
    const std::string good = block("PRIVATE KEY", "\n");
    for (const std::string between :
         {"\n", "\r\n", "\\n", "\\\\n", "\\\\\\\\n", "\\r\\n", " ", "  ", "\t", "\\\n", ""}) {
        EXPECT_EQ(with_pem_lines(block("PRIVATE KEY", between)), good) << between;
    }
    EXPECT_EQ(
        with_pem_lines(block("CERTIFICATE", "\\n") + block("CERTIFICATE", "\\n")),
        block("CERTIFICATE", "\n") + block("CERTIFICATE", "\n"));
}

TEST(PemText, WhatIsNoSuchBlockStaysAsItIs) {
    for (const std::string text :
         {"", "not a key", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
          "-----BEGIN A-----\nAAAA\n-----END B-----",
          "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
          "-----BEGIN A----------END A-----"}) {
        EXPECT_EQ(with_pem_lines(text), text);
    }
}

}  // namespace
}  // namespace tocsin
