#include "core/os/terminal_modes.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace alca::os {
namespace {

std::string reset_after(const std::vector<std::string>& parts) {
    TerminalModes modes;
    for (const std::string& part : parts) modes.scan(part);
    return std::string(modes.reset().view());
}
std::string reset_after(const std::string& bytes) {
    return reset_after(std::vector<std::string>{bytes});
}

struct Mode {
    std::string on;
    std::string off;
    std::string reset;
};

const std::vector<Mode>& modes() {
    static const std::vector<Mode> kModes{{"\x1b[?25l", "\x1b[?25h", "\x1b[?25h"},
                                          {"\x1b[?7l", "\x1b[?7h", "\x1b[?7h"},
                                          {"\x1b[?1h", "\x1b[?1l", "\x1b[?1l"},
                                          {"\x1b[?5h", "\x1b[?5l", "\x1b[?5l"},
                                          {"\x1b[?9h", "\x1b[?9l", "\x1b[?9l"},
                                          {"\x1b[?47h", "\x1b[?47l", "\x1b[?47l\x1b[m"},
                                          {"\x1b[?1047h", "\x1b[?1047l", "\x1b[?1047l\x1b[m"},
                                          {"\x1b[?1049h", "\x1b[?1049l", "\x1b[?1049l\x1b[m"},
                                          {"\x1b[?1000h", "\x1b[?1000l", "\x1b[?1000l"},
                                          {"\x1b[?1002h", "\x1b[?1002l", "\x1b[?1002l"},
                                          {"\x1b[?1003h", "\x1b[?1003l", "\x1b[?1003l"},
                                          {"\x1b[?1004h", "\x1b[?1004l", "\x1b[?1004l"},
                                          {"\x1b[?1005h", "\x1b[?1005l", "\x1b[?1005l"},
                                          {"\x1b[?1006h", "\x1b[?1006l", "\x1b[?1006l"},
                                          {"\x1b[?1015h", "\x1b[?1015l", "\x1b[?1015l"},
                                          {"\x1b[?1016h", "\x1b[?1016l", "\x1b[?1016l"},
                                          {"\x1b[?2004h", "\x1b[?2004l", "\x1b[?2004l"},
                                          {"\x1b[?2026h", "\x1b[?2026l", "\x1b[?2026l"},
                                          {"\x1b[?2031h", "\x1b[?2031l", "\x1b[?2031l"},
                                          {"\x1b[?2048h", "\x1b[?2048l", "\x1b[?2048l"},
                                          {"\x1b[?69h", "\x1b[?69l", "\x1b[?69l"},
                                          {"\x1b[?66h", "\x1b[?66l", "\x1b>"},
                                          {"\x1b=", "\x1b>", "\x1b>"},
                                          {"\x1b[4h", "\x1b[4l", "\x1b[4l"},
                                          {"\x1b[1;31m", "\x1b[0m", "\x1b[m"},
                                          {"\x1b[38;5;0m", "\x1b[m", "\x1b[m"},
                                          {"\x1b[2;20r", "\x1b[r", "\x1b\x37\x1b[r\x1b\x38"},
                                          {"\x1b(0", "\x1b(B", "\x1b(B"},
                                          {"\x0e", "\x0f", "\x0f"},
                                          {"\x1b[5 q", "\x1b[0 q", "\x1b[0 q"},
                                          {"\x1b[>4;2m", "\x1b[>4;0m", "\x1b[>4m"},
                                          {"\x1b[>4;1m", "\x1b[>4m", "\x1b[>4m"},
                                          {"\x1b[>4;1m", "\x1b[>m", "\x1b[>4m"},
                                          {"\x1b[>1u", "\x1b[<u", "\x1b[<1u"},
                                          {"\x1b[>1u\x1b[>3u", "\x1b[<2u", "\x1b[<2u"},
                                          {"\x1b[=5u", "\x1b[=0u", "\x1b[=0u"},
                                          {"\x1b[=5;2u", "\x1b[<9u", "\x1b[=0u"}};
    return kModes;
}

TEST(TerminalModesTest, WhatIsOnIsUndoneAndWhatIsOffIsNot) {
    for (const Mode& mode : modes()) {
        EXPECT_EQ(reset_after(mode.on), mode.reset) << mode.on.substr(1);
        EXPECT_EQ(reset_after(mode.on + "text" + mode.off), "") << mode.on.substr(1);
        EXPECT_EQ(reset_after(mode.off), "") << mode.off.substr(1);
    }
}

TEST(TerminalModesTest, ASequenceMayBeCutAnywhere) {
    for (const Mode& mode : modes()) {
        for (const std::string& bytes : {mode.on, mode.on + mode.off}) {
            const std::string whole = reset_after(bytes);
            for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
                EXPECT_EQ(reset_after({bytes.substr(0, cut), bytes.substr(cut)}), whole)
                    << bytes.substr(1) << " cut at " << cut;
            }
        }
    }
}

TEST(TerminalModesTest, AnyBytesMeanTheSameInAnyParts) {
    std::minstd_rand random(7);
    const std::string alphabet = "\x1b\x1b\x1b[[?<>=;:0124569hlmurq cP](B\x07\x18\x0e\x80\xff!p";
    for (int round = 0; round < 300; ++round) {
        std::string bytes;
        std::vector<std::string> single;
        for (int i = 0; i < 200; ++i) {
            bytes.push_back(alphabet[random() % alphabet.size()]);
            single.emplace_back(1, bytes.back());
        }
        EXPECT_EQ(reset_after(bytes), reset_after(single)) << round;
    }
}

TEST(TerminalModesTest, ManyModesOfOneSequence) {
    EXPECT_EQ(reset_after("\x1b[?1000;1006;2004;25;12h\x1b[?1006l"), "\x1b[?2004l\x1b[?1000l");
}

TEST(TerminalModesTest, AFullScreenProgramThatDiesIsUndoneInOrder) {
    EXPECT_EQ(reset_after("\x1b[?1049h\x1b[>5u\x1b[1;24r\x1b[?25l\x1b[?1002h\x1b[44mtext"),
              "\x1b[<1u\x1b[r\x1b[?1002l\x1b[?1049l\x1b[?25h\x1b[m");
}

TEST(TerminalModesTest, EachScreenHasItsKeyboard) {
    EXPECT_EQ(reset_after("\x1b[>1u\x1b[?1049h\x1b[>1u\x1b[>1u"),
              "\x1b[<2u\x1b[?1049l\x1b[<1u\x1b[m");
    EXPECT_EQ(reset_after("\x1b[?1049h\x1b[>1u\x1b[<u\x1b[?1049l"), "");
}

TEST(TerminalModesTest, TextInsideStringsIsNoMode) {
    EXPECT_EQ(reset_after("\x1b]0;title [?25l\x07"), "");
    EXPECT_EQ(reset_after("\x1bPq[?25l\x1b\\"), "");
    EXPECT_EQ(reset_after("\x1b_G\x0e[?1049h\x1b\\"), "");
    EXPECT_EQ(reset_after("\x1b]0;title\x1b\\\x1b[?25l"), "\x1b[?25h");
}

TEST(TerminalModesTest, OtherSequencesAreNoModes) {
    for (const char* bytes : {"[?25l",
                              "\x1b[25l",
                              "\x1b[2J\x1b[3;4H",
                              "\x1b[>25l",
                              "\x1b[?25$p",
                              "\x1b[?1049$p",
                              "\x1b[?1r",
                              "\x1b[6n",
                              "\x1b[c",
                              "\x1b[>c",
                              "\x1b[?u",
                              "\x1b[u",
                              "\x1b[s",
                              "\x1b#8",
                              "\x1b%G",
                              "\x1b)0",
                              "\x1b\x37\x1b\x38",
                              "\x1b[?12h",
                              "\x1b[?99999999999999h",
                              "ä漢😀"}) {
        EXPECT_EQ(reset_after(bytes), "") << (bytes + 1);
    }
}

TEST(TerminalModesTest, AnUnfinishedSequenceIsCancelledFirst) {
    for (const char* bytes : {"\x1b", "\x1b[", "\x1b[?10", "\x1b(", "\x1b]0;title", "\x1bPq#0"}) {
        EXPECT_EQ(reset_after(bytes), "\x18") << (bytes + 1);
    }
    EXPECT_EQ(reset_after("\x1b[?25l\x1b]8;;http"), "\x18\x1b[?25h");
    EXPECT_EQ(reset_after("\x1b[?25\x18l"), "");
}

TEST(TerminalModesTest, ATerminalThatWasResetNeedsNothing) {
    std::string all;
    for (const Mode& mode : modes()) all += mode.on;
    EXPECT_EQ(reset_after(all + "\x1b" + "c"), "");
    EXPECT_EQ(reset_after("\x1b[?25l\x1b[?1h\x1b=\x1b[4h\x1b[31m\x1b[!p"), "");
    EXPECT_EQ(reset_after("\x1b[?1049h\x1b[!p"), "\x1b[?1049l\x1b[m");
}

TEST(TerminalModesTest, EverythingAtOnceFits) {
    std::string all;
    for (const Mode& mode : modes()) all += mode.on;
    for (int i = 0; i < 300; ++i) all += "\x1b[>1u";
    const std::string reset = reset_after(all);
    EXPECT_TRUE(reset.ends_with("\x1b[m")) << reset.size();
    EXPECT_EQ(reset_after(all + reset), "");
}

TEST(TerminalModesTest, ALongSequenceIsNoMode) {
    EXPECT_EQ(reset_after("\x1b[?" + std::string(5000, '0') + "25l"), "");
    EXPECT_EQ(reset_after("\x1b[" + std::string(5000, '1') + "m"), "\x1b[m");
}

}  // namespace
}  // namespace alca::os
