#include "core/config/keys.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

namespace alca::config {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(KeysTest, EveryKeyHasTypeAndHelpAndComesOnce) {
    std::set<std::string_view> names;
    for (const Key& key : keys()) {
        EXPECT_TRUE(names.insert(key.name).second) << key.name;
        EXPECT_FALSE(key.type.empty()) << key.name;
        EXPECT_TRUE(key.help.ends_with('.')) << key.name;
    }
}

TEST(KeysTest, ChildrenOfATableAreFound) {
    EXPECT_THAT(keys_in("resources"), ElementsAre("memory", "cpus", "pids"));
    EXPECT_THAT(keys_in("mounts[]"),
                ElementsAre("source", "volume", "target", "readonly", "exclude"));
    EXPECT_THAT(keys_in("commands"), ElementsAre("up", "enter", "aliases"));
    EXPECT_THAT(keys_in("envs.<NAME>"), ElementsAre("value", "override_on_enter"));
    EXPECT_THAT(keys_in(""),
                UnorderedElementsAre("extends", "includes", "image", "workdir", "workdir_exclude",
                                     "runtime", "user", "stop_timeout", "commands", "mounts",
                                     "resources", "envs", "network", "caps", "hooks"));
}

TEST(KeysTest, SlipsAreRecognised) {
    EXPECT_EQ(nearest("img", keys_in("")), "image");
    EXPECT_EQ(nearest("lan_access", keys_in("network")), "lan-access");
    EXPECT_EQ(nearest("host_ip", keys_in("network.ports[]")), "hostIp");
    EXPECT_EQ(nearest("readOnly", keys_in("mounts[]")), "readonly");
    EXPECT_EQ(nearest("cap", keys_in("")), "caps");
}

TEST(KeysTest, OtherWordsAreNot) {
    EXPECT_EQ(nearest("zebra", keys_in("")), "");
    EXPECT_EQ(nearest("", keys_in("")), "");
    EXPECT_EQ(nearest("x", keys_in("")), "");
    EXPECT_EQ(nearest(std::string(100000, 'a'), keys_in("")), "");
}

TEST(KeysTest, ReferencePageHasTheTableAsItIs) {
    std::ifstream file(std::string(ALCA_SOURCE_DIR) + "/docs/reference/config.md");
    std::stringstream page;
    page << file.rdbuf();
    EXPECT_THAT(page.str(), testing::HasSubstr(keys_as_markdown()));
}

}  // namespace
}  // namespace alca::config
