// The bytes of docs/reference/run-protocol.md, written out.
#include "core/flow/frames.hpp"

#include <gtest/gtest.h>

namespace alca::flow {
namespace {

using namespace std::string_literals;

TEST(FramesTest, ACommandIsVersionFlagsSizeCountsAndStrings) {
    const auto frame = command_frame({.argv = {"ls", "-l"},
                                      .env = {{"A", "1"}, {"B", ""}},
                                      .cwd = "/w",
                                      .tty = true,
                                      .size = {.rows = 24, .cols = 300}});

    ASSERT_TRUE(frame);
    EXPECT_EQ(*frame,
              "\x01\0\0\0"  // type
              "\x24\0\0\0"  // bytes that follow
              "\x01\0\0\0"  // protocol version
              "\x01\0\0\0"  // flags: terminal
              "\x18\0"      // rows
              "\x2c\x01"    // columns
              "\x02\0\0\0"  // arguments
              "\x02\0\0\0"  // variables
              "/w\0ls\0-l\0"
              "A=1\0B=\0"s);
}

TEST(FramesTest, TermIsAdaptedOnlyOnATerminal) {
    Command command{.argv = {}, .env = {}, .cwd = "/", .tty = true, .size = {}, .adapt_term = true};
    auto frame = command_frame(command);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->substr(12, 4), "\x03\0\0\0"s);
    command.tty = false;
    frame = command_frame(command);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->substr(12, 4), "\0\0\0\0"s);
}

TEST(FramesTest, WithoutATerminalNoFlagIsSet) {
    const auto frame = command_frame({.argv = {}, .env = {}, .cwd = "/", .tty = false, .size = {}});

    ASSERT_TRUE(frame);
    EXPECT_EQ(*frame, "\x01\0\0\0\x16\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/\0"s);
}

TEST(FramesTest, BytesThatAreNotTextPassAsTheyAre) {
    const auto frame =
        command_frame({.argv = {"\xff\n\"'$(x)"}, .env = {}, .cwd = "/", .tty = false, .size = {}});

    ASSERT_TRUE(frame);
    EXPECT_NE(frame->find("\xff\n\"'$(x)\0"s), std::string::npos);
}

TEST(FramesTest, ANulByteIsRefusedWhereverItIs) {
    const auto argument =
        command_frame({.argv = {"ls", "a\0b"s}, .env = {}, .cwd = "/", .tty = false, .size = {}});
    ASSERT_FALSE(argument);
    EXPECT_EQ(argument.error().code, Code::invalid);

    const auto value = command_frame(
        {.argv = {"ls"}, .env = {{"A", "a\0b"s}}, .cwd = "/", .tty = false, .size = {}});
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().message, "A holds a NUL byte");

    const auto directory =
        command_frame({.argv = {"ls"}, .env = {}, .cwd = "/a\0b"s, .tty = false, .size = {}});
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().code, Code::invalid);
}

TEST(FramesTest, ACommandMayBeAsLargeAsTheLimitAndNotLarger) {
    constexpr std::size_t kFixedBytes = 20;
    constexpr std::size_t kDirectoryBytes = 2;
    Command command{
        .argv = {std::string(kMaxCommandFrameBytes - kFixedBytes - kDirectoryBytes - 1, 'x')},
        .env = {},
        .cwd = "/",
        .tty = false,
        .size = {}};
    EXPECT_TRUE(command_frame(command));

    command.argv[0] += "x";
    const auto frame = command_frame(command);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Code::invalid);
    EXPECT_NE(frame.error().message.find("4194304"), std::string::npos);
}

TEST(FramesTest, InputIsTypeLengthAndBytes) {
    EXPECT_EQ(input_frame("a\0b"s), "\x02\0\0\0\x03\0\0\0a\0b"s);
    EXPECT_EQ(input_frame(std::string(kMaxInputFrameBytes, 'x')).substr(0, 8),
              "\x02\0\0\0\0\0\x01\0"s);
}

TEST(FramesTest, TheEndOfInputHasNoPayload) { EXPECT_EQ(input_end_frame(), "\x03\0\0\0\0\0\0\0"s); }

TEST(FramesTest, ASignalIsItsNumber) {
    EXPECT_EQ(signal_frame(15), "\x04\0\0\0\x04\0\0\0\x0f\0\0\0"s);
}

TEST(FramesTest, AWindowSizeIsRowsThenColumns) {
    EXPECT_EQ(window_size_frame({.rows = 24, .cols = 300}), "\x05\0\0\0\x04\0\0\0\x18\0\x2c\x01"s);
}

constexpr std::string_view kNonce = "0123456789abcdef";

TEST(HelloTest, AHelloIsVersionNonceUserAndAddress) {
    const auto frame = hello_frame(kNonce, "1000:5", "192.0.2.1");

    ASSERT_TRUE(frame);
    EXPECT_EQ(*frame, "\x10\0\0\0\x25\0\0\0\x01\0\0\0"s + std::string(kNonce) + "1000:5\0"s +
                          "192.0.2.1\0"s);
}

TEST(HelloTest, WhatCannotBeSaidIsRefused) {
    EXPECT_FALSE(hello_frame(kNonce, "a\0b"s, ""));
    EXPECT_FALSE(hello_frame(kNonce, std::string(2000, 'a'), ""));
}

TEST(AnswerTest, ComesInPiecesAndLeavesTheRest) {
    const std::string whole = "\x12\0\0\0\x04\0\0\0\x2a\0\0\0"s;
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        std::string part = whole.substr(0, cut);
        EXPECT_FALSE(take_answer(part)) << cut;
        EXPECT_EQ(part.size(), cut);
    }
    std::string bytes = whole + "rest";
    const auto answer = take_answer(bytes);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->type, AnswerType::exit);
    EXPECT_EQ(answer->exit_code, 42);
    EXPECT_EQ(bytes, "rest");
}

TEST(AnswerTest, WhatNoServerSaysIsUnknown) {
    for (std::string bytes : {"\x12\0\0\0\x05\0\0\0\x2a\0\0\0\0"s, "\x02\0\0\0\0\0\0\0"s,
                              "\x12\0\0\0\xff\xff\xff\xff"s, "\x12\x01\0\0\x04\0\0\0\x2a\0\0\0"s}) {
        const auto answer = take_answer(bytes);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->type, AnswerType::unknown);
    }
}

TEST(AnswerTest, TextOfASandboxCannotMoveTheCursor) {
    EXPECT_EQ(printable("no\x1b[2J\r\n"), "no?[2J??");
}

}  // namespace
}  // namespace alca::flow
