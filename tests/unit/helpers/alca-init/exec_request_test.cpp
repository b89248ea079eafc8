#include "helpers/alca-init/exec_request.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "frames.hpp"

namespace alca::init {
namespace {

using testing::exec_payload;
using testing::little_endian;

Bytes to_bytes(const std::string& text) {
    Bytes bytes;
    EXPECT_TRUE(bytes.append(text));
    return bytes;
}

TEST(ExecRequestTest, ReadsWhatWasWritten) {
    Bytes payload = to_bytes(exec_payload({.arguments = {"sh", "", "a\xff b"},
                                           .environment = {"K=v=w", "E="},
                                           .directory = "/src",
                                           .has_terminal = true,
                                           .rows = 33,
                                           .columns = 777}));
    ExecRequest request;
    ASSERT_EQ(parse_exec_request(payload, request), nullptr);
    EXPECT_TRUE(request.has_terminal);
    EXPECT_EQ(request.window.rows, 33);
    EXPECT_EQ(request.window.columns, 777);
    EXPECT_STREQ(request.directory, "/src");
    ASSERT_EQ(request.arguments.size(), 3U);
    EXPECT_STREQ(request.arguments.items()[1], "");
    EXPECT_STREQ(request.arguments.items()[2], "a\xff b");
    EXPECT_EQ(request.arguments.data()[3], nullptr);
    ASSERT_EQ(request.environment.size(), 2U);
    EXPECT_STREQ(request.environment.items()[0], "K=v=w");
}

TEST(ExecRequestTest, TermMayBeAdaptedOnATerminalOnly) {
    Bytes payload =
        to_bytes(exec_payload({.arguments = {}, .has_terminal = true, .adapts_term = true}));
    ExecRequest request;
    ASSERT_EQ(parse_exec_request(payload, request), nullptr);
    EXPECT_TRUE(request.has_terminal);
    EXPECT_TRUE(request.adapts_term);
    payload = to_bytes(exec_payload({.arguments = {}, .adapts_term = true}));
    EXPECT_STREQ(parse_exec_request(payload, request), "exec frame has unknown flags");
}

TEST(ExecRequestTest, NoArgumentsAreAllowed) {
    Bytes payload = to_bytes(exec_payload({.arguments = {}}));
    ExecRequest request;
    ASSERT_EQ(parse_exec_request(payload, request), nullptr);
    EXPECT_EQ(request.arguments.size(), 0U);
}

TEST(ExecRequestTest, RefusesEveryWrongPayload) {
    const std::string good = exec_payload({.arguments = {"a"}, .environment = {"B=c"}});
    const std::string counts_lie = little_endian(1, 4) + little_endian(0, 8) +
                                   little_endian(0xffffffff, 4) + little_endian(0, 4);
    const std::vector<std::string> cases = {
        "",
        good.substr(0, 19),
        good.substr(0, 20),
        good.substr(0, good.size() - 1),
        good + '\0',
        good + "x",
        little_endian(2, 4) + good.substr(4),
        good.substr(0, 4) + little_endian(2, 4) + good.substr(8),
        good.substr(0, 4) + little_endian(4, 4) + good.substr(8),
        counts_lie + std::string("/\0a\0", 4),
        exec_payload({.arguments = {"a"}, .directory = "relative"}),
        exec_payload({.arguments = {"a"}, .directory = ""}),
        exec_payload({.arguments = {"a"}, .environment = {"no-equals"}}),
        exec_payload({.arguments = {"a"}, .environment = {"=value"}}),
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        Bytes payload = to_bytes(cases[i]);
        ExecRequest request;
        EXPECT_NE(parse_exec_request(payload, request), nullptr) << "case " << i;
    }
}

TEST(ExecRequestTest, RandomChangesNeverReadOutsideThePayload) {
    const std::string good =
        exec_payload({.arguments = {"sh", "-c", "true"}, .environment = {"A=b", "C=d"}});
    std::mt19937 random(2);
    for (int i = 0; i < 20'000; ++i) {
        std::string changed = good.substr(0, random() % (good.size() + 1));
        for (std::size_t n = random() % 4; n > 0 && !changed.empty(); --n)
            changed[random() % changed.size()] = static_cast<char>(random());
        Bytes payload = to_bytes(changed);
        ExecRequest request;
        if (parse_exec_request(payload, request) != nullptr) continue;
        ASSERT_LE(request.arguments.size() + request.environment.size(), changed.size());
    }
}

}  // namespace
}  // namespace alca::init
