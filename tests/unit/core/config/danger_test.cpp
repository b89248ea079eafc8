#include "core/config/danger.hpp"

#include <gmock/gmock.h>

namespace alca::config {
namespace {

using testing::HasSubstr;

std::string reason(const char* path) { return danger(path, "/home/me"); }

TEST(DangerTest, WholeMachineAndHomeAreNamed) {
    EXPECT_THAT(reason("/"), HasSubstr("everything"));
    EXPECT_THAT(reason("/home"), HasSubstr("whole home directory"));
    EXPECT_THAT(reason("/home/me"), HasSubstr("whole home directory"));
}

TEST(DangerTest, EngineSocketsAreNamedWhereverTheyAre) {
    for (const char* path : {"/run/docker.sock", "/run/user/1000/podman/podman.sock",
                             "/home/me/.docker/run/docker.sock", "/srv/containerd.sock"}) {
        EXPECT_THAT(reason(path), HasSubstr("full control over this machine")) << path;
    }
    EXPECT_THAT(reason("/run"), HasSubstr("sockets"));
    EXPECT_THAT(reason("/run/user/1000"), HasSubstr("sockets"));
    EXPECT_THAT(reason("/run/user/1000/podman"), HasSubstr("sockets"));
}

TEST(DangerTest, KeysAndLoginsAreNamed) {
    EXPECT_THAT(reason("/home/me/.ssh"), HasSubstr("keys or logins"));
    EXPECT_THAT(reason("/home/me/.ssh/id_ed25519"), HasSubstr("keys or logins"));
    EXPECT_THAT(reason("/home/me/.claude.json"), HasSubstr("keys or logins"));
}

TEST(DangerTest, WhatRunsLaterIsNamed) {
    EXPECT_THAT(reason("/home/me/.bashrc"), HasSubstr("can run on this machine later"));
    EXPECT_THAT(reason("/home/me/.local/state/alca"), HasSubstr("can run"));
}

TEST(DangerTest, SystemDirectoriesAreNamed) {
    EXPECT_THAT(reason("/etc/passwd"), HasSubstr("system"));
    EXPECT_THAT(reason("/var/lib/docker"), HasSubstr("system"));
}

TEST(DangerTest, OrdinaryPlacesAreNot) {
    for (const char* path : {"/home/me/data", "/home/me/.config/nvim", "/srv/data", "/home/meme",
                             "/home/other/x", "/home/me/.sshx"}) {
        EXPECT_EQ(reason(path), "") << path;
    }
}

TEST(DangerTest, UnknownHomeIsNoWildcard) {
    EXPECT_EQ(danger("/srv/data", ""), "");
    EXPECT_EQ(danger("/home/me/.ssh", ""), "");
}

}  // namespace
}  // namespace alca::config
