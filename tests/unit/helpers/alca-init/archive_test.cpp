// The two commands as programs; what they take and make is tested in tests/unit/helpers/shared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "program.hpp"
#include "tests/support/tar_stream.hpp"

namespace alca::init::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::TarStream;

class ArchiveTest : public ::testing::Test {
  protected:
    ArchiveTest() {
        std::string name = (fs::temp_directory_path() / "alca-archive-XXXXXX").string();
        top = ::mkdtemp(name.data());
    }
    ~ArchiveTest() override { fs::remove_all(top); }

    static Output finish(const std::vector<std::string>& arguments, std::string_view in = {}) {
        std::vector<std::string> command = {ALCA_INIT_PROGRAM};
        command.insert(command.end(), arguments.begin(), arguments.end());
        Program program(command);
        program.send(in);
        program.close_stdin();
        return program.finish();
    }
    [[nodiscard]] std::string at(const char* name) const { return (top / name).string(); }
    [[nodiscard]] std::string read(const char* name) const {
        std::ifstream file(top / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    // How many files and directories there are.
    [[nodiscard]] std::ptrdiff_t count() const {
        return std::distance(fs::recursive_directory_iterator(top), {});
    }

    fs::path top;
};

TEST_F(ArchiveTest, WhatOneWritesTheOtherMakes) {
    fs::create_directories(top / "from/d");
    std::ofstream(top / "from/d/a") << "A";
    fs::create_symlink("/etc/passwd", top / "from/l");
    const Output archive = finish({"archive", "from", at("from")});
    ASSERT_EQ(archive.exit_code, 0) << archive.err;
    const Output extract = finish({"extract", "from", at("to")}, archive.out);
    EXPECT_EQ(extract.exit_code, 0) << extract.err;
    EXPECT_EQ(extract.err, "");
    EXPECT_EQ(read("to/d/a"), "A");
    EXPECT_EQ(fs::read_symlink(top / "to/l"), "/etc/passwd");
}

TEST_F(ArchiveTest, ALinkIsFollowedOnRequest) {
    std::ofstream(top / "a") << "A";
    fs::create_symlink("a", top / "l");
    EXPECT_EQ(finish({"archive", "l", at("l")}).out.at(156), '2');
    EXPECT_EQ(finish({"archive", "--follow-link", "l", at("l")}).out.at(156), '0');
}

TEST_F(ArchiveTest, WhatIsMissingIsTold) {
    const Output output = finish({"archive", "x\ny\x7f", at("nothing")});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_EQ(output.err, "alca-init: x\\x0ay\\x7f: No such file or directory\n");
}

TEST_F(ArchiveTest, SpecialBitsAreToldOnce) {
    const auto stream = TarStream().file("d/a", "A", 04755).file("d/b", "B", 02755);
    const Output output = finish({"extract", "d", at("d")}, stream.end());
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_THAT(output.err, HasSubstr("d/a: copied without its set-user-ID"));
    EXPECT_THAT(output.err, Not(HasSubstr("d/b")));
    EXPECT_EQ(fs::status(top / "d/a").permissions(), fs::perms(0755));
}

TEST_F(ArchiveTest, AStreamGoesOnlyIntoADirectoryThatIsThere) {
    const std::string stream = TarStream().file("a", "A").end();
    EXPECT_EQ(finish({"extract", "--existing", ".", at("nothing")}, stream).exit_code, 1);
    EXPECT_EQ(count(), 0);
    fs::create_directory(top / "there");
    EXPECT_EQ(finish({"extract", "--existing", ".", at("there")}, stream).exit_code, 0);
    EXPECT_EQ(read("there/a"), "A");
}

TEST_F(ArchiveTest, OtherArgumentsAreWrongUsage) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"archive"},
                                                      {"archive", "x"},
                                                      {"archive", "", "/"},
                                                      {"archive", "..", "/"},
                                                      {"archive", "a/b", "/"},
                                                      {"archive", "--existing", "x", "/"},
                                                      {"extract", "--follow-link", "x", "/"},
                                                      {"extract", "x", "/", "y"}}) {
        EXPECT_EQ(finish(arguments).exit_code, 2) << ::testing::PrintToString(arguments);
    }
}

// The end of the client is a hang-up first, and a closed stream.
class ArchiveEndTest : public ArchiveTest, public ::testing::WithParamInterface<int> {};

TEST_P(ArchiveEndTest, LeavesNoUnfinishedFile) {
    const std::string stream = TarStream().file("a", std::string(100'000, 'x')).end();
    // Nobody listens any more, either.
    Program program({"sh", "-c", "exec \"$0\" extract a \"$1\" 2>&1", ALCA_INIT_PROGRAM, at("a")});
    program.send(stream.substr(0, 90'000));
    ASSERT_TRUE(holds_soon([&] { return count() == 1; }));
    program.close_stdout();
    if (GetParam() == 0) {
        program.close_stdin();
    } else {
        ::kill(program.pid(), GetParam());
    }
    const Output output = program.finish();
    EXPECT_EQ(output.exit_code, GetParam() == 0 ? 1 : 128 + GetParam());
    EXPECT_EQ(count(), 0);
}

INSTANTIATE_TEST_SUITE_P(Ends, ArchiveEndTest, ::testing::Values(0, SIGHUP, SIGINT, SIGTERM));

}  // namespace
}  // namespace alca::init::testing
