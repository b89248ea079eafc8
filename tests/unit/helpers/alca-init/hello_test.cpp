#include "helpers/alca-init/hello.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace alca::init {
namespace {

using namespace std::string_literals;

const std::string kNonce = "0123456789abcdef";

bool parse(const std::string& payload, Hello& hello) {
    std::copy_n(payload.begin(), std::min(payload.size(), kMaxHelloBytes), hello.payload.begin());
    return parse_hello(payload.size(), hello);
}

TEST(HelloTest, HasNonceUserAndAddress) {
    Hello hello;
    ASSERT_TRUE(parse("\x01\0\0\0"s + kNonce + "node\0"s + "192.0.2.1\0"s, hello));
    EXPECT_EQ(hello.nonce, kNonce);
    EXPECT_EQ(hello.user, "node");
    EXPECT_EQ(hello.refused, "192.0.2.1");
}

TEST(HelloTest, AnythingElseIsNone) {
    Hello hello;
    EXPECT_FALSE(parse("", hello));
    EXPECT_FALSE(parse("\x02\0\0\0"s + kNonce + "\0\0"s, hello));
    EXPECT_FALSE(parse("\x01\0\0\0"s + kNonce + "node\0"s, hello));
    EXPECT_FALSE(parse("\x01\0\0\0"s + kNonce + "\0\0more"s, hello));
    EXPECT_FALSE(parse("\x01\0\0\0short\0\0"s, hello));
}

TEST(HelloTest, AHeadTellsASizeThatFits) {
    EXPECT_EQ(hello_length("\x10\0\0\0\x20\0\0\0"s), 32U);
    EXPECT_EQ(hello_length("\x10\0\0\0\x00\x04\0\0"s), 1024U);
    EXPECT_EQ(hello_length("\x10\0\0\0\x01\x04\0\0"s), 0U);
    EXPECT_EQ(hello_length("\x10\0\0\0\xff\xff\xff\xff"s), 0U);
    EXPECT_EQ(hello_length("\x01\0\0\0\x20\0\0\0"s), 0U);
    EXPECT_EQ(hello_length("\x10\x01\0\0\x20\0\0\0"s), 0U);
}

TEST(HelloTest, RandomBytesBreakNothing) {
    std::mt19937 random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string payload(random() % (kMaxHelloBytes + 1), '\0');
        for (char& byte : payload) byte = static_cast<char>(random());
        if (round % 2 == 0 && payload.size() > 4) payload.replace(0, 4, "\x01\0\0\0"s);
        Hello hello;
        if (!parse(payload, hello)) continue;
        EXPECT_EQ(hello.user.data()[hello.user.size()], '\0');
        EXPECT_EQ(hello.refused.data()[hello.refused.size()], '\0');
    }
}

TEST(AnswerFrameTest, SaysItsLength) {
    EXPECT_EQ(exit_code_frame(300).view(), "\x12\0\0\0\x04\0\0\0\x2c\x01\0\0"s);
    EXPECT_EQ(decline("no").view(), "\x13\0\0\0\x02\0\0\0no"s);
    EXPECT_EQ(decline(std::string(5000, 'x')).view().size(), 8U + 248U);
}

}  // namespace
}  // namespace alca::init
