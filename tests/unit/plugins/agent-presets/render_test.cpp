#include "plugins/agent-presets/render.hpp"

#include <gmock/gmock.h>

namespace alca::presets {
namespace {

using testing::ElementsAre;

constexpr std::string_view kPreset =
    "#% name x\n#% summary An agent\n#% version 1.2\n#% gitignore a\n#% gitignore b\n"
    "#% note first\n# A comment\nimage = \"old\"\nuser = \"host\"\n";

TEST(RenderTest, HeadLinesBecomeDataAndTheRestTheConfiguration) {
    const auto preset = parse_preset(kPreset);
    ASSERT_TRUE(preset) << preset.error().message;
    EXPECT_EQ(preset->info.name, "x");
    EXPECT_EQ(preset->info.summary, "An agent");
    EXPECT_EQ(preset->info.agent_version, "1.2");
    EXPECT_THAT(preset->files.gitignore, ElementsAre("a", "b"));
    EXPECT_THAT(preset->files.notes, ElementsAre("first"));
    EXPECT_EQ(preset->files.config, "# A comment\nimage = \"old\"\nuser = \"host\"\n");
}

TEST(RenderTest, IncompletePresetsAreErrors) {
    EXPECT_FALSE(parse_preset(""));
    EXPECT_FALSE(parse_preset("#% name x\n#% summary y\nimage = \"i\"\n"));
    EXPECT_FALSE(parse_preset("#% name x\n#% summary y\n#% version 1\n"));
    EXPECT_FALSE(parse_preset("#% name x\n#% summary y\n#% version 1\n#% nmae x\nimage = \"i\"\n"));
    EXPECT_FALSE(parse_preset("#% name x"));
}

TEST(RenderTest, ImageIsReplacedAndQuoted) {
    EXPECT_EQ(with_image("image = \"old\"\nx = 1\n", "new:1"), "image = \"new:1\"\nx = 1\n");
    EXPECT_EQ(with_image("# c\nimage = \"old\"", "new"), "# c\nimage = \"new\"");
    EXPECT_EQ(with_image("image = \"old\"\n", "a\"\\b"), "image = \"a\\\"\\\\b\"\n");
    EXPECT_EQ(with_image("image = \"old\"\n", ""), "image = \"old\"\n");
}

TEST(RenderTest, ImageThatCouldBreakOutOfItsLineIsRefused) {
    EXPECT_FALSE(with_image("image = \"old\"\n", "a\nuser = \"root\""));
    EXPECT_FALSE(with_image("no image\n", "a"));
}

}  // namespace
}  // namespace alca::presets
