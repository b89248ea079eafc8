#include "core/cli/host.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace alca::cli {
namespace {

using Addresses = std::vector<std::string>;

struct ResolvConf {
    const char* name;
    const char* text;
    Addresses addresses;
};

class ParseResolversTest : public testing::TestWithParam<ResolvConf> {};

TEST_P(ParseResolversTest, FindsTheAddresses) {
    EXPECT_EQ(parse_resolvers(GetParam().text), GetParam().addresses);
}

INSTANTIATE_TEST_SUITE_P(
    Files, ParseResolversTest,
    testing::Values(
        ResolvConf{"empty", "", {}}, ResolvConf{"one", "nameserver 192.0.2.1\n", {"192.0.2.1"}},
        ResolvConf{"both_families_in_order",
                   "nameserver 2001:db8::1\nnameserver 192.0.2.1\n",
                   {"2001:db8::1", "192.0.2.1"}},
        ResolvConf{"no_newline_at_the_end", "nameserver 192.0.2.1", {"192.0.2.1"}},
        ResolvConf{"tabs_and_carriage_returns", "nameserver\t 192.0.2.1 \r\n", {"192.0.2.1"}},
        ResolvConf{"words_behind_the_address", "nameserver 192.0.2.1 # home\n", {"192.0.2.1"}},
        ResolvConf{"comments", "# nameserver 192.0.2.1\n; nameserver 192.0.2.2\n", {}},
        ResolvConf{"other_keywords", "search example.org\noptions ndots:1\n", {}},
        ResolvConf{"longer_keyword", "nameservers 192.0.2.1\n", {}},
        ResolvConf{"glued", "nameserver192.0.2.1\n", {}},
        ResolvConf{"without_an_address", "nameserver\nnameserver \n", {}},
        ResolvConf{"a_name", "nameserver dns.example.org\n", {}},
        ResolvConf{"a_prefix", "nameserver 192.0.2.0/24\n", {}},
        ResolvConf{"an_address_with_a_zone", "nameserver fe80::1%eth0\n", {}},
        ResolvConf{"blank_lines_between", "\n\nnameserver 192.0.2.1\n\n", {"192.0.2.1"}}),
    [](const auto& file) { return std::string(file.param.name); });

TEST(ParseResolversTextTest, BytesThatAreNoTextAreNoAddress) {
    EXPECT_THAT(parse_resolvers(std::string_view("nameserver \0\xff 1.1.1.1\n", 22)),
                testing::IsEmpty());
}

TEST(ProgramPrefixTest, IsAboveTheDirectoryOfTheProgram) {
    const fs::path program = fs::read_symlink("/proc/self/exe");

    EXPECT_EQ(program_prefix(), program.parent_path().parent_path());
}

}  // namespace
}  // namespace alca::cli
