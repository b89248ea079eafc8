#include <gmock/gmock.h>

#include <fstream>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::HasSubstr;

class MountsTest : public ConfigTest {
  protected:
    // The second mount; the first is the project.
    [[nodiscard]] MountSetting mount(const std::string& text) const {
        const Config config = good("mounts = [" + text + "]");
        return config.mounts.size() == 2 ? config.mounts[1] : MountSetting{};
    }
    [[nodiscard]] std::string mount_error(const std::string& text) const {
        return error("mounts = [" + text + "]");
    }
};

TEST_F(MountsTest, StringFormsAreRead) {
    fs::create_directory(project() / "data");
    EXPECT_EQ(mount("\"data:/d\"").mount.source, (project() / "data").string());
    EXPECT_EQ(mount("\"data:/d\"").mount.target, "/d");
    EXPECT_FALSE(mount("\"data:/d\"").mount.read_only);
    EXPECT_TRUE(mount("\"data:/d:ro\"").mount.read_only);
    EXPECT_EQ(mount("\"/etc/hostname:/h\"").mount.source, "/etc/hostname");
}

TEST_F(MountsTest, TableFormIsRead) {
    const MountSetting setting = mount("{source = \"/a:b\", target = \"/t/\", readonly = true}");
    EXPECT_EQ(setting.mount.source, "/a:b");
    EXPECT_EQ(setting.mount.target, "/t");
    EXPECT_TRUE(setting.mount.read_only);
    EXPECT_EQ(setting.position.line, 2U);
}

TEST_F(MountsTest, TildeAndVariablesAreExpanded) {
    environment_ = {{"DATA", "/srv/data"}, {"SUB", "s"}};
    EXPECT_EQ(mount("\"~:/h\"").mount.source, home().string());
    EXPECT_EQ(mount("\"~/x:/h\"").mount.source, (home() / "x").string());
    EXPECT_EQ(mount("\"~//x:/h\"").mount.source, (home() / "x").string());
    EXPECT_EQ(mount("\"$DATA/$SUB:/h\"").mount.source, "/srv/data/s");
    EXPECT_EQ(mount("\"${NO:-/a:b}:/h\"").mount.source, "/a:b");
    EXPECT_EQ(mount("\"a~:/h\"").mount.source, (project() / "a~").string());
    EXPECT_EQ(mount("{source = \".\", target = \"/$SUB\"}").mount.target, "/$SUB");
}

TEST_F(MountsTest, BadExpansionsAreErrors) {
    environment_ = {{"EMPTY", ""}};
    EXPECT_THAT(mount_error("\"$NO:/h\""), HasSubstr("undefined environment variable: $NO"));
    EXPECT_THAT(mount_error("\"$EMPTY:/h\""), HasSubstr("expands to nothing"));
    EXPECT_THAT(mount_error("\"~other/x:/h\""), HasSubstr("only ~ and ~/ are known"));
}

TEST_F(MountsTest, TildeWithoutAHomeIsAnError) {
    const auto config = config::parse("image = \"i\"\nmounts = [\"~/x:/h\"]", ".alca.toml",
                                      {project(), "", environment_});
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("HOME is not set"));
}

TEST_F(MountsTest, SourceBehindASymlinkIsResolvedSoThatItCannotPointElsewhereLater) {
    fs::create_directory(home() / ".ssh");
    fs::create_directory_symlink(home() / ".ssh", project() / "innocent");
    EXPECT_EQ(mount("\"innocent:/d\"").mount.source, (home() / ".ssh").string());
    EXPECT_EQ(mount("\"./x/../innocent/:/d\"").mount.source, (home() / ".ssh").string());
}

TEST_F(MountsTest, MalformedStringsAreErrors) {
    EXPECT_THAT(mount_error("\"data\""), HasSubstr("mounts[0]: invalid mount format"));
    EXPECT_THAT(mount_error("\"a:/b:ro:x\""), HasSubstr("invalid mount format"));
    EXPECT_THAT(mount_error("\"a:/b:rw\""), HasSubstr("invalid mount option \"rw\""));
    EXPECT_THAT(mount_error("\":/b\""), HasSubstr("mount source cannot be empty"));
    EXPECT_THAT(mount_error("\"a:\""), HasSubstr("mount target cannot be empty"));
    EXPECT_THAT(mount_error("\"a:b\""), HasSubstr("must be an absolute path"));
    EXPECT_THAT(mount_error("\"a:/proc/x\""), HasSubstr("the sandbox's own"));
}

TEST_F(MountsTest, IncompleteTablesAreErrors) {
    EXPECT_THAT(mount_error("{target = \"/t\"}"), HasSubstr("mount source is required"));
    EXPECT_THAT(mount_error("{source = \"a\"}"), HasSubstr("mount target is required"));
    EXPECT_THAT(mount_error("{source = \"a\", volume = \"v\", target = \"/t\"}"),
                HasSubstr("both source and volume"));
}

TEST_F(MountsTest, VolumesHavePlainNames) {
    const MountSetting setting = mount("{volume = \"state_1-x\", target = \"/t\"}");
    EXPECT_EQ(setting.mount.volume, "state_1-x");
    EXPECT_EQ(setting.mount.source, "");
    for (const char* name : {"", "-a", "A", "a/b", "a.b", "abcdefghijklmnopqrstuvwxyz0123456"}) {
        EXPECT_THAT(mount_error(std::string("{volume = \"") + name + "\", target = \"/t\"}"),
                    HasSubstr("must be 1 to 31 of"))
            << name;
    }
}

TEST_F(MountsTest, TargetsMustDiffer) {
    EXPECT_THAT(mount_error("\".:/workspace/\""), HasSubstr("conflicts with workdir"));
    EXPECT_THAT(mount_error("\"a:/t\", \"b:/x/../t\""),
                HasSubstr("mounts[1]: mount target \"/t\" is already used"));
}

TEST_F(MountsTest, TargetsThatHideWhatIsAlcasOrTheEnginesOwnAreRefused) {
    for (const char* target : {"/alca-init", "/alca-init/", "/alca-init/x"}) {
        EXPECT_THAT(mount_error(std::string("\".:") + target + "\""),
                    HasSubstr("/alca-init is reserved for alca"))
            << target;
    }
    for (const char* target : {"/sys/fs", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                               "/etc/../etc/resolv.conf/"}) {
        EXPECT_THAT(mount_error(std::string("\".:") + target + "\""),
                    HasSubstr("is the sandbox's own"))
            << target;
    }
    EXPECT_THAT(mount_error("{volume = \"v\", target = \"/alca-init\"}"), HasSubstr("reserved"));
    EXPECT_THAT(mount_error("\".:/alca-run/x\""), HasSubstr("/alca-run is reserved for alca"));
    EXPECT_THAT(mount_error("\".:/\""), HasSubstr("would hide the image"));
}

TEST_F(MountsTest, UserTableOfTheSandboxMayBeAMount) {
    EXPECT_EQ(mount("\"passwd:/etc/passwd\"").mount.target, "/etc/passwd");
}

TEST_F(MountsTest, MissingSourceIsAnErrorWithItsPlaceWhenItIsChecked) {
    const Config config = good("mounts = [\n  \"gone:/a\",\n  \"also:/b\",\n]");
    const auto checked = check_mount_sources(config);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::invalid);
    EXPECT_THAT(checked.error().message, HasSubstr(".alca.toml:3:3: mount source"));
    EXPECT_THAT(checked.error().message, HasSubstr("gone\" does not exist; create it"));
    EXPECT_THAT(checked.error().message, HasSubstr(".alca.toml:4:3: "));
    EXPECT_FALSE(fs::exists(project() / "gone"));
}

TEST_F(MountsTest, FilesDirectoriesAndVolumesPassTheCheck) {
    std::ofstream(project() / "file") << "x";
    EXPECT_TRUE(check_mount_sources(
        good("mounts = [\"file:/f\", \"~:/h\", {volume = \"v\", target = \"/v\"}]")));
}

TEST_F(MountsTest, SourceThatBecomesASymlinkAfterLoadingIsAnError) {
    fs::create_directory(project() / "data");
    const Config config = good("mounts = [\"data:/d\"]");
    EXPECT_TRUE(check_mount_sources(config));
    fs::remove(project() / "data");
    fs::create_directory_symlink(home(), project() / "data");
    EXPECT_THAT(check_mount_sources(config).error().message, HasSubstr("became a symlink"));
}

TEST_F(MountsTest, DanglingSymlinkIsAMissingSource) {
    fs::create_symlink("nowhere", project() / "link");
    EXPECT_FALSE(check_mount_sources(good("mounts = [\"link:/l\"]")));
}

}  // namespace
}  // namespace alca::config
