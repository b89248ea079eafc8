#include "helpers/shared/tree/path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace alca::tree {
namespace {

TEST(PathTest, NamesArePushedAndCut) {
    Path path;
    EXPECT_STREQ(path.c_str(), ".");
    ASSERT_TRUE(path.push("a"));
    const std::size_t size = path.size();
    ASSERT_TRUE(path.push("b"));
    EXPECT_STREQ(path.c_str(), "a/b");
    path.cut(size);
    EXPECT_STREQ(path.c_str(), "a");
}

TEST(PathTest, APathThatIsTooLongStaysAsItWas) {
    Path path;
    ASSERT_TRUE(path.push(std::string(4090, 'x')));
    EXPECT_FALSE(path.push("123456"));
    EXPECT_EQ(path.size(), 4090U);
    EXPECT_TRUE(path.push("1234"));
    EXPECT_FALSE(path.push(""));
    EXPECT_FALSE(path.set(std::string(4096, 'x')));
    EXPECT_TRUE(path.set(std::string(4095, 'x')));
}

TEST(PathTest, NamesAreTakenWithoutSlashes) {
    std::string_view path = "//a///b/";
    EXPECT_EQ(take_name(path), "a");
    EXPECT_EQ(take_name(path), "b");
    EXPECT_EQ(take_name(path), "");
}

TEST(PathTest, BelowIsAMatterOfWholeNames) {
    EXPECT_TRUE(is_at_or_below("a/b", "a"));
    EXPECT_TRUE(is_at_or_below("a", "a"));
    EXPECT_TRUE(is_at_or_below("a", ""));
    EXPECT_FALSE(is_at_or_below("ab", "a"));
    EXPECT_FALSE(is_at_or_below("a", "a/b"));
}

TEST(PathTest, ALinkLeadsOutByItsText) {
    EXPECT_TRUE(leads_out("a/l", "/etc"));
    EXPECT_TRUE(leads_out("l", ".."));
    EXPECT_TRUE(leads_out("a/l", "../../x"));
    EXPECT_TRUE(leads_out("a/l", "b/../../../x"));
    EXPECT_FALSE(leads_out("a/l", ".."));
    EXPECT_FALSE(leads_out("a/l", "./b/../../c"));
    EXPECT_FALSE(leads_out("l", "a"));
    EXPECT_FALSE(leads_out("l", "..a"));
}

}  // namespace
}  // namespace alca::tree
