#include "core/config/sections.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::HasSubstr;

using SectionsTest = ConfigTest;

TEST_F(SectionsTest, EveryWrongTypeIsAnError) {
    for (const char* text : {
             "extends = \"a\"",
             "includes = 1",
             "workdir = 1",
             "workdir_exclude = \".env\"",
             "runtime = [\"docker\"]",
             "user = 1000",
             "commands = \"sleep\"",
             "commands.up = 1",
             "commands.enter = [\"sh\"]",
             "commands.up.command = 1",
             "commands.up.append = \"yes\"",
             "commands.aliases = [\"a\"]",
             "commands.aliases.a = \"b\"",
             "commands.aliases.a = [1]",
             "mounts = \"a:/b\"",
             "mounts = [1]",
             "mounts = [{source = 1, target = \"/b\"}]",
             "mounts = [{source = \".\", target = 1}]",
             "mounts = [{volume = 1, target = \"/b\"}]",
             "mounts = [{source = \".\", target = \"/b\", readonly = \"yes\"}]",
             "mounts = [{source = \".\", target = \"/b\", exclude = \"x\"}]",
             "mounts = [{source = \".\", target = \"/b\", exclude = [1]}]",
             "resources = 1",
             "resources.memory = 512",
             "resources.cpus = \"2\"",
             "resources.pids = 1.5",
             "envs = [\"A=b\"]",
             "envs.A = 1",
             "envs.A = {value = 1}",
             "envs.A = {value = \"x\", override_on_enter = 1}",
             "network = true",
             "network.lan-access = \"*\"",
             "network.lan-access = [1]",
             "network.ports = 80",
             "network.ports = [80]",
             "network.ports = [{port = \"80\"}]",
             "network.ports = [{port = 80, hostPort = \"1\"}]",
             "network.ports = [{port = 80, hostIp = 1}]",
             "network.ports = [{port = 80, protocol = 6}]",
             "network.proxy = 1",
             "network.limits = \"20m\"",
             "network.limits.bandwidth = 20",
             "network.limits.new-connections = \"5\"",
             "network.ipv6 = \"yes\"",
             "caps = \"NET_ADMIN\"",
             "caps = [1]",
             "caps.drop = \"ALL\"",
             "caps.add = [1]",
             "hooks = \"x\"",
             "hooks.post_up = [\"x\"]",
             "hooks.pre_down = 1",
         }) {
        EXPECT_THAT(error(text), testing::StartsWith(".alca.toml:2:")) << text;
    }
    EXPECT_FALSE(parse("image = 1"));
}

TEST_F(SectionsTest, UnknownKeysAreErrorsAtEveryLevel) {
    for (const char* text :
         {"x9 = 1", "commands.x9 = 1", "commands.up.x9 = 1", "commands.enter.x9 = 1",
          "mounts = [{source=\".\", target=\"/a\", x9=1}]", "resources.x9 = 1", "envs.A.x9 = 1",
          "network.x9 = 1", "network.ports = [{port = 1, x9 = 1}]", "caps.x9 = 1",
          "hooks.x9 = 1"}) {
        EXPECT_THAT(error(text), HasSubstr("unknown key \"x9\"")) << text;
    }
}

TEST_F(SectionsTest, KeysOfLaterVersionsAreRefusedNotIgnored) {
    for (const char* text : {"extends = [\"./base.toml\"]", "includes = [\"./other.toml\"]",
                             "workdir_exclude = [\".env\"]",
                             "mounts = [{source = \".\", target = \"/a\", exclude = [\".env\"]}]",
                             "hooks.post_up = \"true\"", "hooks.pre_down = \"true\""}) {
        EXPECT_THAT(error(text), HasSubstr("not supported by this version of alca; remove it, or"))
            << text;
    }
}

TEST_F(SectionsTest, KeysOfLaterVersionsThatAskForNothingAreAccepted) {
    good(
        "extends = []\nincludes = []\nworkdir_exclude = []\n"
        "mounts = [{source = \".\", target = \"/a\", exclude = []}]\n"
        "network.proxy = \"\"\nnetwork.lan-access = []\nhooks.post_up = \"\"\n");
}

TEST_F(SectionsTest, IncludePatternWithoutFilesIsAccepted) {
    good("includes = ['./.alca.*.toml']");
}

TEST_F(SectionsTest, IncludePatternWithAFileIsRefused) {
    std::ofstream(project() / ".alca.local.toml") << "image = \"other\"\n";
    EXPECT_THAT(error("includes = ['./.alca.*.toml']"),
                HasSubstr("includes (\"./.alca.*.toml\") is not supported"));
}

TEST_F(SectionsTest, IncludePatternIsFoundInAProjectWhoseNameLooksLikeAPattern) {
    const fs::path odd = project() / "[a]*";
    fs::create_directories(odd);
    std::ofstream(odd / ".alca.local.toml") << "";
    const auto config = config::parse("image = \"i\"\nincludes = ['./.alca.*.toml']", ".alca.toml",
                                      {odd, home(), environment_});
    EXPECT_FALSE(config);
}

TEST_F(SectionsTest, ImageNamesWithForeignCharactersAreRefused) {
    EXPECT_TRUE(parse("image = \"ghcr.io/a/b_c:1.2@sha256:ab\""));
    for (const char* image : {"a b", "-x", "a\\nb", "a$b", "\\u00e4"}) {
        EXPECT_FALSE(parse(std::string("image = \"") + image + "\"")) << image;
    }
}

TEST_F(SectionsTest, WorkdirIsNormalised) {
    EXPECT_EQ(good("workdir = \"//src/./x/../app/\"").workdir, "/src/app");
    EXPECT_EQ(good("workdir = \"\"").workdir, "/workspace");
}

TEST_F(SectionsTest, WorkdirThatWouldHideTheSystemIsRefused) {
    for (const char* path : {"/", "/..", "/proc", "/proc/1", "/sys", "/dev/shm", "/x/../dev"}) {
        EXPECT_THAT(error(std::string("workdir = \"") + path + "\""), HasSubstr("workdir: "))
            << path;
    }
    EXPECT_EQ(good("workdir = \"/process\"").workdir, "/process");
    EXPECT_EQ(good("workdir = \"/etc\"").workdir, "/etc");
}

TEST_F(SectionsTest, WorkdirAtAboveOrBelowTheProgramOfAlcaIsRefused) {
    for (const char* path : {"/alca-init", "/alca-init/", "/alca-init/x", "/x/../alca-init"}) {
        EXPECT_THAT(error(std::string("workdir = \"") + path + "\""),
                    HasSubstr("/alca-init is reserved for alca"))
            << path;
    }
    for (const char* path : {"/alca", "/alca-initial", "/opt"}) {
        EXPECT_EQ(good(std::string("workdir = \"") + path + "\"").workdir, path);
    }
}

TEST_F(SectionsTest, WorkdirWithControlCharactersIsRefused) {
    EXPECT_THAT(error("workdir = \"/a\\u001b[31m\""), HasSubstr("cannot be shown"));
}

TEST_F(SectionsTest, RuntimeMustLookLikeAnId) {
    EXPECT_EQ(good("runtime = \"podman\"").runtime, "podman");
    EXPECT_EQ(good("runtime = \"\"").runtime, "auto");
    for (const char* runtime : {"Docker", "../x", "a b", "a/b"}) {
        EXPECT_THAT(error(std::string("runtime = \"") + runtime + "\""), HasSubstr("no runtime id"))
            << runtime;
    }
}

TEST_F(SectionsTest, StopTimeoutIsUpToAMinute) {
    using std::chrono::seconds;
    EXPECT_EQ(good("").stop_timeout, seconds(2));
    EXPECT_EQ(good("stop_timeout = 0\n").stop_timeout, seconds(0));
    EXPECT_EQ(good("stop_timeout = 60\n").stop_timeout, seconds(60));
    for (const char* text : {"stop_timeout = -1\n", "stop_timeout = 61\n"}) {
        EXPECT_EQ(error(text), ".alca.toml:2:16: stop_timeout: must be from 0 to 60 seconds");
    }
    EXPECT_THAT(error("stop_timeout = \"5s\"\n"), HasSubstr("expected an integer"));
}

TEST_F(SectionsTest, UserFormsAreChecked) {
    for (const char* user :
         {"", "host", "root", "_apt", "a.b-c", "0", "1000", "1000:100", "4294967294"}) {
        EXPECT_EQ(good(std::string("user = \"") + user + "\"").user, user);
    }
    for (const char* user : {"1000:", ":1000", "1:2:3", "root:root", "-1", "4294967295",
                             "99999999999", "a b", "1x", "-x"}) {
        EXPECT_THAT(error(std::string("user = \"") + user + "\""), HasSubstr("user: ")) << user;
    }
}

TEST_F(SectionsTest, MemoryIsReadInDockersUnits) {
    EXPECT_EQ(good("resources.memory = \"512m\"").resources.memory_bytes, 512LL << 20);
    EXPECT_EQ(good("resources.memory = \"\"").resources.memory_bytes, 0);
    EXPECT_THAT(error("resources.memory = \"lots\""), HasSubstr("not an amount of memory"));
    EXPECT_THAT(error("resources.memory = \"1m\""), HasSubstr("at least \"6m\""));
}

TEST_F(SectionsTest, CpusMayBeWholeOrNot) {
    EXPECT_EQ(good("resources.cpus = 2").resources.nano_cpus, 2000000000);
    EXPECT_EQ(good("resources.cpus = 1.5").resources.nano_cpus, 1500000000);
    EXPECT_EQ(good("resources.cpus = 0").resources.nano_cpus, 0);
    for (const char* cpus : {"-1", "nan", "inf", "0.001", "9223372036854775807"}) {
        EXPECT_THAT(error(std::string("resources.cpus = ") + cpus), HasSubstr("resources.cpus"))
            << cpus;
    }
}

TEST_F(SectionsTest, PidsLimitCannotBeTurnedOff) {
    EXPECT_EQ(good("resources.pids = 64").resources.pids, 64);
    for (const char* pids : {"0", "-1", "4194305"}) {
        EXPECT_THAT(error(std::string("resources.pids = ") + pids), HasSubstr("always a limit"))
            << pids;
    }
}

TEST_F(SectionsTest, NulInAStringIsAnErrorEverywhere) {
    for (const char* text :
         {"image = \"a\\u0000\"", "envs.A = \"a\\u0000\"", "commands.up = \"a\\u0000\"",
          "commands.aliases.a = [\"a\\u0000\"]", "mounts = [\"a\\u0000:/b\"]"}) {
        const auto config = parse(text);
        ASSERT_FALSE(config);
        EXPECT_THAT(config.error().message, HasSubstr("NUL")) << text;
    }
}

}  // namespace
}  // namespace alca::config
