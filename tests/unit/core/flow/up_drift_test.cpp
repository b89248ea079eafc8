// `up` when the configuration is not the one that the sandbox was made from.
#include <gmock/gmock.h>

#include "core/flow/up.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;

class UpDriftTest : public FlowTest {};

TEST_F(UpDriftTest, ForceRebuildsWhenTheConfigurationChanged) {
    be_up();
    const std::string old = sandbox().container_id;

    ASSERT_TRUE(up("workdir = \"/src\"\n", {.force = true}));

    EXPECT_NE(sandbox().container_id, old);
    EXPECT_EQ(sandbox().effective.workdir, "/src");
    EXPECT_TRUE(ui.questions.empty());
}

TEST_F(UpDriftTest, ForceRebuildsNothingWhenNothingChanged) {
    be_up();
    const std::string old = sandbox().container_id;

    ASSERT_TRUE(up("", {.force = true}));

    EXPECT_EQ(sandbox().container_id, old);
}

TEST_F(UpDriftTest, WithoutATerminalADriftedSandboxIsKeptAndTheChangeIsSaid) {
    be_up();
    const std::string old = sandbox().container_id;

    ASSERT_TRUE(up("workdir = \"/src\"\n"));

    EXPECT_EQ(sandbox().container_id, old);
    EXPECT_TRUE(ui.has_said("Workdir: /workspace → /src"));
    EXPECT_TRUE(ui.has_said("Keeping existing container"));
    EXPECT_FALSE(journal.has("runtime.remove"));
}

TEST_F(UpDriftTest, NoOnTheTerminalKeepsADriftedSandbox) {
    be_up();
    ui.answer = false;

    ASSERT_TRUE(up("workdir = \"/src\"\n"));

    EXPECT_EQ(ui.questions.size(), 1U);
    EXPECT_FALSE(journal.has("runtime.remove"));
}

TEST_F(UpDriftTest, YesOnTheTerminalRebuildsADriftedSandbox) {
    be_up();
    const std::string old = sandbox().container_id;
    ui.answer = true;

    ASSERT_TRUE(up("workdir = \"/src\"\n"));

    EXPECT_NE(sandbox().container_id, old);
}

TEST_F(UpDriftTest, AChangeThatWasKeptIsSaidAgainByTheNextUp) {
    be_up();
    ASSERT_TRUE(up("workdir = \"/src\"\n"));
    forget();

    ASSERT_TRUE(up("workdir = \"/src\"\n"));

    EXPECT_TRUE(ui.has_said("Workdir: /workspace → /src"));
}

TEST_F(UpDriftTest, AStoppedSandboxWhoseChangeIsKeptIsStartedAsItWasMade) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    const std::string old = sandbox().container_id;

    const auto done =
        up("[resources]\nmemory = \"1g\"\n[[mounts]]\nvolume = \"cache\"\ntarget = "
           "\"/cache\"\n");

    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(is_running());
    EXPECT_EQ(sandbox().container_id, old);
    EXPECT_FALSE(state().allow_unprotected);
}

TEST_F(UpDriftTest, ARebuildTakesTheOldSandboxAwayInOrder) {
    be_up();

    ASSERT_TRUE(up("workdir = \"/src\"\n", {.force = true}));

    EXPECT_THAT(journal.entries(),
                ElementsAre("runtime.status", "firewall.probe", "runtime.status", "runtime.remove",
                            "firewall.remove", "runtime.prepare", "firewall.apply",
                            "firewall.verify", "runtime.create", "runtime.status", "runtime.start",
                            "runtime.exec verify", "runtime.status"));
}

}  // namespace
}  // namespace alca::flow
