#include "core/config/quantity.hpp"

#include <gtest/gtest.h>

namespace alca::config {
namespace {

TEST(QuantityTest, DockersSpellingsAreRead) {
    EXPECT_EQ(parse_memory("1048576"), 1048576);
    EXPECT_EQ(parse_memory("10b"), 10);
    EXPECT_EQ(parse_memory("512m"), 536870912);
    EXPECT_EQ(parse_memory("2G"), 2147483648);
    EXPECT_EQ(parse_memory("2gb"), 2147483648);
    EXPECT_EQ(parse_memory("1.5 GiB"), 1610612736);
    EXPECT_EQ(parse_memory("1k"), 1024);
    EXPECT_EQ(parse_memory("1t"), 1LL << 40);
}

TEST(QuantityTest, AnythingElseIsAnError) {
    for (const char* text : {"", "m", "-1m", "1x", "1 ", "1  m", "1mm", "1bib", "1.2.3m", "0x10",
                             "1e3", "99999999p", "inf", "nan", " 1m", "1m "}) {
        EXPECT_FALSE(parse_memory(text)) << text;
    }
}

TEST(QuantityTest, FormatIsTheShortestExactSpelling) {
    EXPECT_EQ(format_memory(2147483648), "2g");
    EXPECT_EQ(format_memory(1610612736), "1536m");
    EXPECT_EQ(format_memory(1000), "1000");
    EXPECT_EQ(format_memory(0), "0");
}

}  // namespace
}  // namespace alca::config
