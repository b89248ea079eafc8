#include "core/plugins/search_path.hpp"

#include <gtest/gtest.h>

namespace alca::plugins {
namespace {

using Paths = std::vector<fs::path>;

SearchInput input_of(uid_t user) {
    return {.plugin_path = "",
            .xdg_data_home = "",
            .home = "/home/u",
            .prefix = "/opt/alca",
            .user = user};
}

TEST(SearchPathTest, OrderIsVariableThenUserThenPrefix) {
    SearchInput input = input_of(1000);
    input.plugin_path = "/a:/b/";
    input.xdg_data_home = "/data";
    EXPECT_EQ(search_path(input).directories,
              (Paths{"/a", "/b", "/data/alca/plugins", "/opt/alca/lib/alca/plugins"}));
}

TEST(SearchPathTest, HomeStandsInForAMissingOrRelativeDataHome) {
    SearchInput input = input_of(1000);
    const Paths expected{"/home/u/.local/share/alca/plugins", "/opt/alca/lib/alca/plugins"};
    EXPECT_EQ(search_path(input).directories, expected);
    input.xdg_data_home = "relative";
    EXPECT_EQ(search_path(input).directories, expected);
}

TEST(SearchPathTest, RootHasNoUserDirectory) {
    SearchInput input = input_of(0);
    input.xdg_data_home = "/data";
    EXPECT_EQ(search_path(input).directories, (Paths{"/opt/alca/lib/alca/plugins"}));
}

TEST(SearchPathTest, RootKeepsTheVariable) {
    SearchInput input = input_of(0);
    input.plugin_path = "/a";
    EXPECT_EQ(search_path(input).directories, (Paths{"/a", "/opt/alca/lib/alca/plugins"}));
}

TEST(SearchPathTest, RelativeEntriesAreLeftOutAndNamed) {
    SearchInput input = input_of(0);
    input.plugin_path = "plugins:.::/a";
    const SearchPath path = search_path(input);
    EXPECT_EQ(path.directories, (Paths{"/a", "/opt/alca/lib/alca/plugins"}));
    EXPECT_EQ(path.ignored,
              (std::vector<std::string>{"ALCA_PLUGIN_PATH: plugins is not an absolute path",
                                        "ALCA_PLUGIN_PATH: . is not an absolute path"}));
}

TEST(SearchPathTest, ADirectoryNamedTwiceIsSearchedOnce) {
    SearchInput input = input_of(0);
    input.plugin_path = "/opt/alca/lib/alca/plugins/:/opt/./alca/lib/alca/plugins";
    EXPECT_EQ(search_path(input).directories, (Paths{"/opt/alca/lib/alca/plugins"}));
}

}  // namespace
}  // namespace alca::plugins
