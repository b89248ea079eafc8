#include "core/config/text.hpp"

#include <gtest/gtest.h>

namespace alca::config {
namespace {

TEST(TextTest, OrdinaryTextStaysAsItIs) { EXPECT_EQ(printable("aß語🙂 \"x\""), "aß語🙂 \"x\""); }

TEST(TextTest, ControlAndDirectionCharactersAreShownAsNumbers) {
    EXPECT_EQ(printable("a\nb\x1b[0m\x7f"), "a\\x0ab\\x1b[0m\\x7f");
    EXPECT_EQ(printable("\u202e\u2066\u200b\u2028\u0085"),
              "\\u{202e}\\u{2066}\\u{200b}\\u{2028}\\u{0085}");
}

TEST(TextTest, BytesThatAreNotUtf8AreShownAsNumbers) {
    EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(TextTest, LongTextIsCutBetweenCharacters) {
    const std::string text = std::string(79, 'a') + "ß and more";
    EXPECT_EQ(in_quotes(text), '"' + std::string(79, 'a') + "...\"");
}

TEST(TextTest, FirstInvalidByteIsFound) {
    EXPECT_EQ(find_invalid_utf8("aß🙂"), std::string::npos);
    EXPECT_EQ(find_invalid_utf8("aß\xff"), 3U);
    EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0U);          // overlong
    EXPECT_EQ(find_invalid_utf8("a\xe2\x82"), 1U);         // cut off
    EXPECT_EQ(find_invalid_utf8("\xf4\x90\x80\x80"), 0U);  // above U+10FFFF
    EXPECT_EQ(find_invalid_utf8("\x80"), 0U);
}

}  // namespace
}  // namespace alca::config
