#include "core/cli/command_line.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

namespace alca::cli {
namespace {

using Words = std::vector<std::string>;

struct Line {
    const char* name;
    Words given;
    Words kept;
};

class WithoutSeparatorTest : public testing::TestWithParam<Line> {};

TEST_P(WithoutSeparatorTest, LeavesTheCommandAsItIs) {
    EXPECT_EQ(without_separator(GetParam().given), GetParam().kept);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, WithoutSeparatorTest,
    testing::Values(Line{"nothing", {}, {}},
                    Line{"between_run_and_command", {"run", "--", "ls", "-l"}, {"run", "ls", "-l"}},
                    Line{"behind_an_option_of_run", {"run", "-T", "--", "ls"}, {"run", "-T", "ls"}},
                    Line{"behind_a_global_option", {"-v", "run", "--", "ls"}, {"-v", "run", "ls"}},
                    Line{"a_command_that_begins_with_a_dash", {"run", "--", "-x"}, {"run", "-x"}},
                    Line{"only_the_first", {"run", "--", "--", "ls"}, {"run", "--", "ls"}},
                    Line{"one_of_the_command",
                         {"run", "git", "log", "--", "f"},
                         {"run", "git", "log", "--", "f"}},
                    Line{"nothing_behind_it", {"run", "--"}, {"run"}},
                    Line{"an_empty_word_is_a_command", {"run", "", "--"}, {"run", "", "--"}},
                    Line{"run_alone", {"run"}, {"run"}},
                    Line{"another_command", {"up", "--"}, {"up", "--"}},
                    Line{"run_as_an_argument", {"help", "run", "--"}, {"help", "run", "--"}},
                    Line{"options_alone", {"--version"}, {"--version"}}),
    [](const auto& line) { return std::string(line.param.name); });

class CommandLineTest : public testing::Test {
  protected:
    CommandLineTest() {
        app.add_subcommand("status", "");
        app.add_subcommand("up", "");
        app.require_subcommand(1);
        add_verbose(app, verbosity);
        use_our_messages(app);
    }
    // What is printed for a command line that must be wrong.
    std::string message(Words words) {
        std::reverse(words.begin(), words.end());  // as CLI11 wants them
        try {
            app.parse(words);
        } catch (const CLI::ParseError& error) {
            std::ostringstream out;
            std::ostringstream err;
            static_cast<void>(app.exit(error, out, err));
            return err.str();
        }
        ADD_FAILURE() << "accepted";
        return {};
    }

    CLI::App app{"test", "alca"};
    int verbosity = 0;
};

TEST_F(CommandLineTest, VerbosityCountsBeforeAndBehindTheCommand) {
    app.parse("-v status -v");
    EXPECT_EQ(verbosity, 2);
}

TEST_F(CommandLineTest, AMisspelledCommandNamesTheOneThatWasMeant) {
    EXPECT_EQ(message({"statsu"}),
              "alca: unknown command 'statsu'; did you mean 'status'?\nSee: alca --help\n");
}

TEST_F(CommandLineTest, ACommandLikeNoneIsOnlyNamed) {
    EXPECT_EQ(message({"frobnicate"}), "alca: unknown command 'frobnicate'\nSee: alca --help\n");
}

TEST_F(CommandLineTest, AnUnknownOptionIsNamed) {
    EXPECT_EQ(message({"up", "--frob"}), "alca: unknown option '--frob'\nSee: alca --help\n");
}

}  // namespace
}  // namespace alca::cli
