// Every built-in preset, read with the parser that reads it later.
#include <gmock/gmock.h>

#include "core/config/load.hpp"
#include "core/config/powers.hpp"
#include "plugins/agent-presets/agent_presets.hpp"

namespace alca::presets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class NoCall final : public Call {
  public:
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(LogLevel /*level*/, std::string_view /*line*/) const override {}
    void progress(const Progress& /*progress*/) const override {}
};

class PresetsTest : public testing::Test {
  protected:
    PresetsTest() : plugin_(std::move(AgentPresets::make(Json::object()).value())) {}

    [[nodiscard]] PresetFiles render(const std::string& name, const std::string& image = "") {
        auto files = plugin_->render(NoCall(), {name, image});
        EXPECT_TRUE(files) << files.error().message;
        return files.value_or(PresetFiles{});
    }
    [[nodiscard]] config::Config config(const std::string& name, const std::string& image = "") {
        const config::Environment environment;
        auto config = config::parse(render(name, image).config, ".alca.toml",
                                    {"/project", "/home/me", environment});
        EXPECT_TRUE(config) << config.error().message;
        return config.value_or(config::Config{});
    }

    std::unique_ptr<AgentPresets> plugin_;
};

TEST_F(PresetsTest, ListNamesWhatRenderKnows) {
    const auto presets = plugin_->list(NoCall());
    ASSERT_TRUE(presets);
    ASSERT_FALSE(presets->empty());
    for (const PresetInfo& info : *presets) {
        const config::Config parsed = config(info.name);
        EXPECT_EQ(parsed.user, "host") << info.name;
        EXPECT_THAT(config::powers(parsed), IsEmpty()) << info.name;
        EXPECT_THAT(render(info.name).gitignore, testing::Contains(".alca/")) << info.name;
        EXPECT_THAT(parsed.commands.up, HasSubstr("pin=" + info.agent_version + "\n")) << info.name;
    }
}

TEST_F(PresetsTest, UnknownNameIsNotFoundAndListsTheKnownOnes) {
    const auto files = plugin_->render(NoCall(), {"cluade", ""});
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, Code::not_found);
    EXPECT_EQ(files.error().message, "no preset \"cluade\"; there are: claude");
}

TEST_F(PresetsTest, GivenImageReplacesThePresetsOwn) {
    EXPECT_EQ(config("claude").image, "node:22-bookworm-slim");
    EXPECT_EQ(config("claude", "mine:1").image, "mine:1");
}

TEST_F(PresetsTest, ClaudeKeepsItsStateInAVolumeThatIsNotItsDefaultPlace) {
    const config::Config claude = config("claude");
    ASSERT_EQ(claude.mounts.size(), 2U);
    EXPECT_EQ(claude.mounts[1].mount.volume, "claude");
    const std::string& state = claude.envs.find("CLAUDE_CONFIG_DIR")->second.value;
    EXPECT_THAT(state, testing::StartsWith(claude.mounts[1].mount.target + "/"));
    EXPECT_THAT(state, Not(testing::EndsWith("/.claude")));
}

TEST_F(PresetsTest, ClaudeGetsTheUnrestrictedFlagFromItsAliasAlone) {
    const config::Config claude = config("claude");
    EXPECT_THAT(config::with_alias(claude, {"claude", "-p", "hi"}),
                ElementsAre("claude", "--dangerously-skip-permissions", "-p", "hi"));
    EXPECT_THAT(claude.commands.up, Not(HasSubstr("--dangerously-skip-permissions")));
    EXPECT_THAT(claude.commands.enter, IsEmpty());
}

TEST_F(PresetsTest, ClaudeTrustsTheDirectoryThatTheProjectIsIn) {
    const config::Config claude = config("claude");
    EXPECT_THAT(claude.commands.up, HasSubstr("{\"" + claude.workdir + "\": {\"hasTrustDialog"));
}

TEST_F(PresetsTest, ClaudeIsQuietAndGetsNoCredentialByItself) {
    const config::Config claude = config("claude");
    for (const char* name : {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER",
                             "DISABLE_TELEMETRY", "IS_SANDBOX", "CLAUDE_CODE_BUBBLEWRAP"}) {
        ASSERT_TRUE(claude.envs.contains(name)) << name;
        EXPECT_EQ(claude.envs.find(name)->second.value, "1") << name;
    }
    EXPECT_FALSE(claude.envs.contains("ANTHROPIC_API_KEY"));
}

TEST_F(PresetsTest, EveryCredentialLineOfClaudeWorksWhenItIsEnabled) {
    std::string text = render("claude").config;
    for (const char* name : {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN",
                             "ANTHROPIC_BASE_URL"}) {
        const std::string line = std::string("# ") + name + " = ";
        ASSERT_NE(text.find(line), std::string::npos) << name;
        text.erase(text.find(line), 2);
    }
    const config::Environment environment;
    const auto parsed = config::parse(text, ".alca.toml", {"/project", "/home/me", environment});
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(config::powers(*parsed).size(), 4U);
}

}  // namespace
}  // namespace alca::presets
