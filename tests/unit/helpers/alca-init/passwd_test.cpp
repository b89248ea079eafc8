#include "helpers/alca-init/passwd.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace alca::init {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "\n"
    "# comment\n"
    "short:x:5\n"
    "long:x:5:5::/:/bin/sh:more\n"
    ":x:5:5::/nameless:/bin/sh\n"
    "signed:x:+5:5::/:/bin/sh\n"
    "blank:x: 5:5::/:/bin/sh\n"
    "huge:x:4294967301:5::/:/bin/sh\n"
    "agent:x:1000:1000:An Agent,,,:/home/agent:/bin/sh\n"
    "second:x:1000:1000::/home/second:/bin/sh\n"
    "last:x:7:7::/last:";

// An entry with empty fields stands for nobody.
PasswdEntry entry_of(std::uint32_t uid) { return find_user(kPasswd, uid).value_or(PasswdEntry{}); }

TEST(PasswdTest, FirstEntryOfAnIdCounts) {
    EXPECT_EQ(entry_of(1000).name, "agent");
    EXPECT_EQ(entry_of(1000).home, "/home/agent");
}

TEST(PasswdTest, LastLineNeedsNoNewline) { EXPECT_EQ(entry_of(7).home, "/last"); }

TEST(PasswdTest, MisshapenLinesAreNobody) { EXPECT_FALSE(find_user(kPasswd, 5)); }

TEST(PasswdTest, EmptyFileHasNobody) {
    EXPECT_FALSE(find_user("", 0));
    EXPECT_FALSE(has_group("", 0));
    EXPECT_FALSE(has_name("", "root"));
}

TEST(PasswdTest, GroupsAreFoundById) {
    constexpr std::string_view groups = "root:x:0:\nstaff:x:50:a,b\nbroken:x:51\n";
    EXPECT_TRUE(has_group(groups, 0));
    EXPECT_TRUE(has_group(groups, 50));
    EXPECT_FALSE(has_group(groups, 51));
    EXPECT_FALSE(has_group(groups, 5));
}

TEST(PasswdTest, NamesAreComparedWhole) {
    EXPECT_TRUE(has_name(kPasswd, "agent"));
    EXPECT_FALSE(has_name(kPasswd, "agen"));
    EXPECT_FALSE(has_name(kPasswd, "x"));
    // Whoever reads the file less strictly may take this line for an entry.
    EXPECT_TRUE(has_name(kPasswd, "short"));
}

TEST(PasswdTest, RandomTextIsNeverReadPastItsEnd) {
    std::mt19937 random(3);
    constexpr std::string_view alphabet = ":\n1x/";
    for (int i = 0; i < 20'000; ++i) {
        std::string text(random() % 60, ' ');
        for (char& c : text) c = alphabet[random() % alphabet.size()];
        // An exact copy on the heap: AddressSanitizer sees the first byte behind it.
        const std::string exact(text.begin(), text.end());
        const std::optional<PasswdEntry> entry = find_user(exact, 1);
        if (entry) {
            ASSERT_NE(exact.find(entry->name), std::string::npos);
        }
        static_cast<void>(has_group(exact, 1));
    }
}

}  // namespace
}  // namespace alca::init
