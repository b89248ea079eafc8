#include "plugins/shared/nft_rules/interface_name.hpp"

#include <gtest/gtest.h>

namespace alca::nft {
namespace {

TEST(InterfaceNameTest, TakesUpToElevenLettersAndDigits) {
    EXPECT_TRUE(InterfaceName::parse("alca0").has_value());
    EXPECT_TRUE(InterfaceName::parse("alca0123456789a").has_value());
}

TEST(InterfaceNameTest, RefusesEverythingElse) {
    for (const char* text : {"", "alca", "eth0", "alca0123456789ab", "alcaA", "alca-1", "alca 1",
                             "xalca1", "alca*", "alca1\n", "alca\xc3\xa9", "alca../x"}) {
        const auto name = InterfaceName::parse(text);
        ASSERT_FALSE(name.has_value()) << text;
        EXPECT_EQ(name.error().code, Code::invalid);
    }
    EXPECT_FALSE(InterfaceName::parse(std::string_view("alca1\0x", 7)).has_value());
}

TEST(InterfaceNameTest, KeyIsPaddedWithZeros) {
    const Bytes key = InterfaceName::parse("alca0a")->key();
    EXPECT_EQ(key, (Bytes{'a', 'l', 'c', 'a', '0', 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(InterfaceName::from_key(key)->text(), "alca0a");
}

TEST(InterfaceNameTest, CounterCarriesTheIdWithoutThePrefix) {
    EXPECT_EQ(InterfaceName::parse("alca0a")->counter("lan"), "c_0a_lan");
}

}  // namespace
}  // namespace alca::nft
