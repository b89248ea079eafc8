#include "core/config/load.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class LoadTest : public ConfigTest {
  protected:
    fs::path write(std::string_view text) {
        const fs::path file = project() / ".alca.toml";
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }
    [[nodiscard]] Result<Config> load(const fs::path& file) const {
        return config::load(file, {project(), home(), environment_});
    }
};

TEST_F(LoadTest, ImageAloneGivesTheDocumentedDefaults) {
    const auto config = load(write("image = \"debian:12\"\n"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->image, "debian:12");
    EXPECT_EQ(config->workdir, "/workspace");
    EXPECT_EQ(config->runtime, "auto");
    EXPECT_EQ(config->user, "");
    EXPECT_EQ(config->resources.pids, 4096);
    EXPECT_EQ(config->resources.memory_bytes, 0);
    EXPECT_FALSE(config->network.open);
    EXPECT_FALSE(config->network.ipv6);
    EXPECT_THAT(config->caps, testing::ElementsAre("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL",
                                                   "SETGID", "SETUID"));
    ASSERT_EQ(config->mounts.size(), 1U);
    EXPECT_EQ(config->mounts[0].mount.source, project().string());
    EXPECT_EQ(config->mounts[0].mount.target, "/workspace");
}

TEST_F(LoadTest, MissingFileIsNotFoundAndNamed) {
    const auto config = load(project() / ".alca.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::not_found);
    EXPECT_THAT(config.error().message, HasSubstr(".alca.toml"));
}

TEST_F(LoadTest, SymlinkToAFileIsFollowed) {
    const fs::path real = home() / "shared.toml";
    std::ofstream(real) << "image = \"linked\"\n";
    fs::create_symlink(real, project() / ".alca.toml");
    const auto config = load(project() / ".alca.toml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->image, "linked");
}

TEST_F(LoadTest, FifoIsRefusedWithoutWaitingForAWriter) {
    const fs::path fifo = project() / ".alca.toml";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const auto config = load(fifo);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::invalid);
    EXPECT_THAT(config.error().message, HasSubstr("not a regular file"));
}

TEST_F(LoadTest, DirectoryInPlaceOfTheFileIsRefused) {
    fs::create_directory(project() / ".alca.toml");
    const auto config = load(project() / ".alca.toml");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("not a regular file"));
}

TEST_F(LoadTest, FileOfTwoMebibytesIsRefused) {
    const std::string filler(2 * kMaxConfigBytes, '#');
    const auto config = load(write("image = \"i\"\n" + filler));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::invalid);
    EXPECT_THAT(config.error().message, HasSubstr("larger than the limit of 1048576 bytes"));
}

TEST_F(LoadTest, FileOfExactlyTheLimitIsRead) {
    std::string text = "image = \"i\"\n#";
    text.resize(kMaxConfigBytes, 'x');
    EXPECT_TRUE(load(write(text)));
}

TEST_F(LoadTest, InvalidUtf8IsReportedWithItsPlace) {
    const auto config = load(write("image = \"i\"\nuser = \"\xff\"\n"));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message,
                EndsWith(".alca.toml:2:9: not UTF-8; save the file as UTF-8"));
}

TEST_F(LoadTest, Utf16IsNotUtf8) {
    const auto config = load(write(std::string_view("\xff\xfei\0m\0", 6)));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr(":1:1: not UTF-8"));
}

TEST_F(LoadTest, ByteOrderMarkIsAccepted) {
    EXPECT_TRUE(load(write("\xEF\xBB\xBFimage = \"i\"\n")));
}

TEST_F(LoadTest, SyntaxErrorIsReportedWithItsPlace) {
    const auto config = parse("image = \"i\"\nuser = \n");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, StartsWith(".alca.toml:2:"));
    EXPECT_THAT(config.error().message, HasSubstr("not valid TOML"));
}

// The library asserts that a key follows.
TEST_F(LoadTest, ATableHeaderWithoutAKeyIsAnErrorNotACrash) {
    for (const char* header : {"[[[x", "[[", "[[=]]", "[\n"}) {
        EXPECT_THAT(error(header), HasSubstr("not valid TOML")) << header;
    }
}

// The library's own table of white space does not know them.
TEST_F(LoadTest, LettersBeyondAsciiAreTextInStringsAndAnErrorElsewhere) {
    EXPECT_EQ(good("workdir = \"\"\"\\\n  /\u00e4\"\"\"\n").workdir, "/\u00e4");
    EXPECT_THAT(error("workdir = \"\"\"\\\n\u00e4\"\"\"\n"), HasSubstr("workdir"));
    for (const char* text : {"\u00e4 = 1\n", "user \u00e4= 'x'\n", "user = \u00e4\n"}) {
        EXPECT_THAT(error(text), HasSubstr("not valid TOML")) << text;
    }
}

TEST_F(LoadTest, KeyGivenTwiceIsAnError) {
    const auto config = parse("image = \"a\"\nimage = \"b\"\n");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, StartsWith(".alca.toml:2:"));
}

TEST_F(LoadTest, VeryDeepNestingIsAnErrorNotACrash) {
    const auto config = parse("image = " + std::string(100000, '[') + "\n");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("not valid TOML"));
}

std::string key_of(int parts, const std::string& part) {
    std::string key = part;
    for (int i = 1; i < parts; ++i) key += "." + part;
    return key;
}

TEST_F(LoadTest, KeysOfManyPartsAreAnErrorNotACrash) {
    for (const char* part : {"a", "\"=\"", "','", "\"#\"", "\"\\\"\"", "\"\"", " '' "}) {
        EXPECT_THAT(error(key_of(100000, part) + " = 1\n"),
                    HasSubstr("a key of more than 32 parts"))
            << part;
    }
    for (const char* front : {"x = '''a'''''\n", "x = \"\"\"\\\"\"\"\"\"\n", "# it's \"\n",
                              "x = '\\'\n", "x = [\n\"\",''] # '''\n", "x = \"\"\"\"\"\"\n"}) {
        EXPECT_THAT(error(front + key_of(100000, "a") + " = 1\n"), HasSubstr("a key of more than"))
            << front;
    }
    // The parts of nested keys add up.
    std::string nested;
    for (int i = 0; i < 120; ++i) nested += (i > 0 ? "{" : "") + key_of(32, "a") + " = [\n";
    nested += "1\n";
    for (int i = 0; i < 120; ++i) nested += i < 119 ? "]}\n" : "]\n";
    EXPECT_THAT(error(nested), HasSubstr("unknown key"));
}

TEST_F(LoadTest, DotsInStringsAndCommentsMakeNoKeyLong) {
    const std::string dots(100000, '.');
    EXPECT_EQ(good("commands.up = \"" + dots + "\"").commands.up, dots);
    EXPECT_EQ(good("commands.up = '''" + dots + "\n''''").commands.up, dots + "\n'");
    good("# it's " + dots + "\n" + "workdir = '/w' # " + dots);
}

TEST_F(LoadTest, MissingImageNamesTheFile) {
    const auto config = parse("");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message,
                HasSubstr("image field is required in configuration .alca.toml"));
}

TEST_F(LoadTest, AllErrorsAreReportedInTheOrderOfTheFile) {
    const std::string message = error("workdir = \"relative\"\nuser = 5\nimmage = \"x\"\n");
    EXPECT_EQ(message,
              ".alca.toml:2:11: workdir: \"relative\" must be an absolute path\n"
              ".alca.toml:3:8: user: expected a string, got an integer\n"
              ".alca.toml:4:1: unknown key \"immage\"; did you mean \"image\"?");
}

TEST_F(LoadTest, MoreThanTenErrorsAreCounted) {
    std::string text;
    for (int i = 0; i < 13; ++i) text += "zzzzzz" + std::to_string(i) + " = 1\n";
    const std::string message = error(text);
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 10);
    EXPECT_THAT(message, EndsWith("and 3 more"));
}

TEST_F(LoadTest, TextFromTheFileCannotForgeTerminalOutput) {
    const std::string message = error("\"\\u001b[2Jrm\\u202e\" = 1\n");
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
    EXPECT_THAT(message, HasSubstr("\\x1b[2Jrm\\u{202e}"));
}

TEST_F(LoadTest, ProjectPathBehindASymlinkIsResolved) {
    fs::create_directory_symlink(project(), home() / "link");
    const auto config =
        config::parse("image = \"i\"", ".alca.toml", {home() / "link", home(), environment_});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->project_dir, project());
}

TEST_F(LoadTest, EveryExampleOfTheReferencePageIsAccepted) {
    std::ifstream file(std::string(ALCA_SOURCE_DIR) + "/docs/reference/config.md");
    std::stringstream page;
    page << file.rdbuf();
    const std::string text = page.str();
    int examples = 0;
    constexpr std::string_view kBegin = "```toml\n";
    for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
        at += kBegin.size();
        const auto config = parse(std::string_view(text).substr(at, text.find("```", at) - at));
        EXPECT_TRUE(config) << config.error().message;
        ++examples;
    }
    EXPECT_EQ(examples, 2);
}

}  // namespace
}  // namespace alca::config
