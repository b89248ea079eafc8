#include "core/flow/copy_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <thread>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"
#include "tests/support/fakes/temporary_project.hpp"
#include "tests/support/tar_stream.hpp"

namespace alca::flow {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing_support::TarStream;

class Listener final : public CopyListener {
  public:
    void problem(std::string_view text) override {
        const std::lock_guard lock(mutex);
        problems.emplace_back(text);
    }
    void note(std::string_view text) override {
        const std::lock_guard lock(mutex);
        notes.emplace_back(text);
    }
    void progress(std::uint64_t files, std::uint64_t bytes) override {
        const std::lock_guard lock(mutex);
        last_files = files;
        last_bytes = bytes;
    }
    std::mutex mutex;
    std::vector<std::string> problems;
    std::vector<std::string> notes;
    std::uint64_t last_files = 0;
    std::uint64_t last_bytes = 0;
};

std::string read_all(int fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 1; count > 0;) {
        count = ::read(fd, buffer.data(), buffer.size());
        if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

class CopyFilesTest : public testing::Test {
  protected:
    CopyFilesTest() {
        ::signal(SIGPIPE, SIG_IGN);  // as the program does
        fs::create_directory(directory.path() / "in");
        fs::create_directory(directory.path() / "outside");
        fakes::write_text(directory.path() / "outside/secret", "secret");
    }
    void TearDown() override {
        EXPECT_EQ(fakes::read_text(directory.path() / "outside/secret"), "secret");
        for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
            EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".alca-cp-")));
        }
    }
    [[nodiscard]] fs::path in() const { return directory.path() / "in"; }
    [[nodiscard]] CopyRequest request(const std::string& host, const std::string& inside) const {
        return {.host = host, .inside = inside, .caller_directory = in(), .shared = {in()}};
    }
    // A sandbox that sends `bytes` and `lines`, and ends with `code`.
    Runner sends(std::string bytes, int code = 0, std::string lines = "") {
        return [this, bytes, code, lines](const RunRequest& run, const CommandIo& io) {
            seen = run;
            EXPECT_EQ(io.in, -1);
            EXPECT_TRUE(os::write_all(io.err, lines));
            // A copy that was given up reads no more.
            static_cast<void>(os::write_all(io.out, bytes));
            return Result<int>(code);
        };
    }
    // One that takes everything.
    Runner takes(int code = 0) {
        return [this, code](const RunRequest& run, const CommandIo& io) {
            seen = run;
            received = read_all(io.in);
            return Result<int>(code);
        };
    }

    fakes::TemporaryDirectory directory;
    Listener listener;
    RunRequest seen;
    std::string received;
};

// ---- names --------------------------------------------------------------------------------------

TEST_F(CopyFilesTest, TheLastNameIsWhatItIsCalled) {
    EXPECT_EQ(*copied_name("/tmp/out"), "out");
    EXPECT_EQ(*copied_name("out//"), "out");
    EXPECT_EQ(*copied_name("/tmp/out/."), ".");
    EXPECT_EQ(*copied_name("."), ".");
    EXPECT_EQ(*copied_name(""), ".");
    EXPECT_EQ(*copied_name("/"), ".");
    EXPECT_FALSE(copied_name(".."));
    EXPECT_FALSE(copied_name("/a/../"));
}

// ---- out of the sandbox -------------------------------------------------------------------------

TEST_F(CopyFilesTest, ComesOutUnderItsName) {
    const auto copied =
        copy_out_of_sandbox(request(".", "tmp/out"),
                            sends(TarStream().directory("out").file("out/a", "A").end()), listener);
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_TRUE(*copied);
    EXPECT_EQ(fakes::read_text(in() / "out/a"), "A");
    EXPECT_THAT(seen.argv, ElementsAre("/alca-init", "archive", "out", "tmp/out"));
    EXPECT_TRUE(seen.is_literal);
    EXPECT_EQ(seen.workdir, "");
    EXPECT_THAT(listener.problems, IsEmpty());
    EXPECT_EQ(listener.last_files, 2U);
    EXPECT_EQ(listener.last_bytes, 1U);
}

TEST_F(CopyFilesTest, AnAbsolutePathNeedsNoDirectoryInside) {
    CopyRequest wanted = request("new", "/tmp/l");
    wanted.follow_link = true;
    wanted.user = "root";
    ASSERT_TRUE(copy_out_of_sandbox(wanted, sends(TarStream().file("l", "L").end()), listener));
    EXPECT_THAT(seen.argv, ElementsAre("/alca-init", "archive", "--follow-link", "l", "/tmp/l"));
    EXPECT_EQ(seen.workdir, "/");
    EXPECT_EQ(seen.user, "root");
    EXPECT_EQ(fakes::read_text(in() / "new"), "L");
}

TEST_F(CopyFilesTest, WhatWasNotAskedForIsRefusedAndNamedSafely) {
    const auto copied = copy_out_of_sandbox(request(".", "out"),
                                            sends(TarStream()
                                                      .file("../outside/secret", "bad")
                                                      .file("x\x1b[2J\n", "bad")
                                                      .file("out", "good")
                                                      .end()),
                                            listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);
    EXPECT_THAT(listener.problems,
                ElementsAre(HasSubstr("../outside/secret: "), HasSubstr("x\\x1b[2J\\x0a: ")));
    EXPECT_EQ(fakes::read_text(in() / "out"), "good");
}

TEST_F(CopyFilesTest, ADestinationThatTheSandboxMadeALinkIsRefused) {
    fs::create_directory_symlink("../outside", in() / "d");
    for (const char* place : {"d", "d/", "d/secret", "d/new"}) {
        const auto copied = copy_out_of_sandbox(
            request(place, "secret"), sends(TarStream().file("secret", "bad").end()), listener);
        ASSERT_FALSE(copied);
        EXPECT_THAT(copied.error().message, HasSubstr("leads out of a directory"));
    }
    EXPECT_THAT(seen.argv, IsEmpty());  // nothing was started
}

TEST_F(CopyFilesTest, LinksThatLeadOutAreToldUpToANumber) {
    TarStream stream;
    stream.directory("out");
    for (int i = 0; i < 14; ++i) stream.link("out/l" + std::to_string(i), "/etc/passwd");
    const auto copied = copy_out_of_sandbox(request(".", "out"), sends(stream.end()), listener);
    ASSERT_TRUE(copied);
    EXPECT_TRUE(*copied);
    ASSERT_THAT(listener.notes, SizeIs(11));
    EXPECT_EQ(listener.notes.back(), "4 more links lead out of the destination");
    EXPECT_EQ(fs::read_symlink(in() / "out/l13"), "/etc/passwd");
}

TEST_F(CopyFilesTest, TheUmaskCounts) {
    const mode_t before = ::umask(0027);
    const auto copied = copy_out_of_sandbox(
        request(".", "a"), sends(TarStream().file("a", "A", 04777).end()), listener);
    ::umask(before);
    ASSERT_TRUE(copied);
    struct stat info{};
    ASSERT_EQ(::stat((in() / "a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0750U);
    EXPECT_THAT(listener.notes, ElementsAre(HasSubstr("a: copied without its set-user-ID")));
}

TEST_F(CopyFilesTest, LinesOfTheSandboxAreShownAsText) {
    const auto copied = copy_out_of_sandbox(
        request(".", "a"),
        sends(TarStream().end(), 1,
              "alca-init: a: No such file\n\x1b[31mred\n" + std::string(9000, 'x')),
        listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);
    EXPECT_THAT(listener.problems,
                ElementsAre("in the sandbox: a: No such file", "in the sandbox: \\x1b[31mred",
                            testing::AllOf(HasSubstr("xxxx"), SizeIs(testing::Lt(5000)))));
}

TEST_F(CopyFilesTest, EveryFailureHasAReason) {
    for (const int code : {0, 1, 125, 137}) {
        listener.problems.clear();
        const std::string half = TarStream().file("a", std::string(2000, 'x')).end().substr(0, 900);
        const auto copied = copy_out_of_sandbox(request(".", "a"), sends(half, code), listener);
        ASSERT_TRUE(copied);
        EXPECT_FALSE(*copied) << code;
        EXPECT_THAT(listener.problems, Not(IsEmpty())) << code;
        EXPECT_FALSE(fs::exists(in() / "a"));
    }
}

TEST_F(CopyFilesTest, AnErrorOfTheRunnerIsPassedOn) {
    const auto copied = copy_out_of_sandbox(
        request(".", "a"),
        [](const RunRequest&, const CommandIo& io) -> Result<int> {
            const std::string half =
                TarStream().file("a", std::string(2000, 'x')).end().substr(0, 900);
            EXPECT_TRUE(os::write_all(io.out, half));
            return fail(Code::cancelled, "interrupted");
        },
        listener);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Code::cancelled);
    EXPECT_THAT(listener.problems, IsEmpty());
    EXPECT_FALSE(fs::exists(in() / "a"));
}

// A job that the sandbox left behind, and that holds the stream open.
TEST_F(CopyFilesTest, TheEndDoesNotWaitForWhoHoldsTheStream) {
    os::Fd held;
    const auto copied = copy_out_of_sandbox(
        request(".", "a"),
        [&](const RunRequest&, const CommandIo& io) -> Result<int> {
            held = os::Fd(::fcntl(io.out, F_DUPFD_CLOEXEC, 0));
            EXPECT_TRUE(os::write_all(io.out, TarStream().file("a", "A").end()));
            return 0;
        },
        listener);
    ASSERT_TRUE(copied);
    EXPECT_TRUE(*copied);
    EXPECT_EQ(fakes::read_text(in() / "a"), "A");
}

TEST_F(CopyFilesTest, AStreamGoesOutWithoutWhatIsRefused) {
    const fs::path file = directory.path() / "stream";
    const os::Fd out(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CopyRequest wanted = request("-", "/top");
    wanted.out = out.get();
    const auto copied = copy_out_of_sandbox(
        wanted, sends(TarStream().file("top", "A").file("/etc/passwd", "bad").end()), listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);
    const std::string text = fakes::read_text(file);
    EXPECT_EQ(text.substr(0, 4), std::string("top\0", 4));
    EXPECT_THAT(text, Not(HasSubstr("passwd")));
}

TEST_F(CopyFilesTest, AReaderThatStandsStillDoesNotHoldACancelledCopy) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const os::Fd reader(ends[0]);
    const os::Fd writer(ends[1]);
    const os::Fd cancel(::eventfd(0, EFD_CLOEXEC));
    CopyRequest wanted = request("-", "/top");
    wanted.out = writer.get();
    wanted.cancel_fd = cancel.get();
    const auto copied = copy_out_of_sandbox(
        wanted,
        [&](const RunRequest&, const CommandIo& io) -> Result<int> {
            EXPECT_TRUE(
                os::write_all(io.out, TarStream().file("top", std::string(500'000, 'x')).end()));
            EXPECT_EQ(::eventfd_write(cancel.get(), 1), 0);
            return fail(Code::cancelled, "interrupted");
        },
        listener);
    EXPECT_FALSE(copied);
}

// ---- into the sandbox ---------------------------------------------------------------------------

TEST_F(CopyFilesTest, GoesInUnderItsName) {
    fs::create_directory(in() / "d");
    fakes::write_text(in() / "d/a", "A");
    const auto copied = copy_into_sandbox(request("d", "/tmp/"), takes(), listener);
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_TRUE(*copied);
    EXPECT_THAT(seen.argv, ElementsAre("/alca-init", "extract", "d", "/tmp/"));
    EXPECT_EQ(received.substr(0, 3), std::string("d/\0", 3));
    EXPECT_EQ(received.substr(512, 4), std::string("d/a\0", 4));
}

TEST_F(CopyFilesTest, NothingStartsWhenTheSourceIsMissing) {
    const auto copied = copy_into_sandbox(request("nothing", "/tmp"), takes(), listener);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().message, "nothing: No such file or directory");
    EXPECT_THAT(seen.argv, IsEmpty());
}

TEST_F(CopyFilesTest, ASourceThatTheSandboxMadeALinkIsNotRead) {
    fs::create_directory_symlink("../outside", in() / "d");
    fs::create_symlink("../outside/secret", in() / "f");
    const auto copied = copy_into_sandbox(request("d/secret", "/tmp"), takes(), listener);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Code::denied);
    CopyRequest followed = request("f", "/tmp");
    followed.follow_link = true;
    EXPECT_FALSE(copy_into_sandbox(followed, takes(), listener));
    ASSERT_TRUE(copy_into_sandbox(request("f", "/tmp"), takes(), listener));
    EXPECT_EQ(received[156], '2');  // a link
}

TEST_F(CopyFilesTest, WhatCannotBeReadIsToldAndTheRestGoesIn) {
    fs::create_directory(in() / "d");
    fakes::write_text(in() / "d/a", "A");
    ASSERT_EQ(::mkfifo((in() / "d/fifo").c_str(), 0600), 0);
    const auto copied = copy_into_sandbox(request("d", "/tmp"), takes(1), listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);  // the other side's code
    EXPECT_THAT(listener.notes, ElementsAre(HasSubstr("d/fifo: left out")));
    EXPECT_THAT(received, HasSubstr("d/a"));
}

TEST_F(CopyFilesTest, ASandboxThatStopsReadingEndsTheCopy) {
    fakes::write_text(in() / "a", std::string(8U << 20U, 'x'));
    for (const int code : {0, 1, 141}) {
        listener.problems.clear();
        const auto copied = copy_into_sandbox(
            request("a", "/tmp"),
            [code](const RunRequest&, const CommandIo& io) {
                std::array<char, 100> buffer{};
                EXPECT_GT(::read(io.in, buffer.data(), buffer.size()), 0);
                return Result<int>(code);
            },
            listener);
        ASSERT_TRUE(copied);
        EXPECT_FALSE(*copied);
        EXPECT_THAT(listener.problems, Not(IsEmpty())) << code;
    }
}

TEST_F(CopyFilesTest, AStreamGoesInAsTheOtherSideReadsIt) {
    const std::string stream = TarStream()
                                   .file("a", "A", 04755)
                                   .add({.name = "b", .type = '1', .link = "a"})
                                   .add({.name = "dev", .type = '3'})
                                   .file("/abs", "")
                                   .end();
    fakes::write_text(in() / "stream", stream);
    const os::Fd file(::open((in() / "stream").c_str(), O_RDONLY | O_CLOEXEC));
    CopyRequest wanted = request("-", "d");
    wanted.in = file.get();
    const auto copied = copy_into_sandbox(wanted, takes(), listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);
    EXPECT_THAT(listener.problems, ElementsAre(HasSubstr("dev: "), HasSubstr("/abs: ")));
    EXPECT_THAT(seen.argv, ElementsAre("/alca-init", "extract", "--existing", ".", "d"));
    EXPECT_THAT(received, Not(HasSubstr("dev")));
    EXPECT_EQ(received[1024 + 156], '1');
}

TEST_F(CopyFilesTest, NamesOfThePaxFormatAreKept) {
    for (const std::string name : {"\xc3\xa4", "\xe2\x82\xac"}) {
        const std::string record = "path=" + name + std::string(150, 'n') + "\n";
        const std::string size = std::to_string(record.size() + 4);
        const std::string stream = TarStream()
                                       .add({.name = "h", .type = 'x'}, size + " " + record)
                                       .file("short", "A")
                                       .end();
        fakes::write_text(in() / "stream", stream);
        const os::Fd file(::open((in() / "stream").c_str(), O_RDONLY | O_CLOEXEC));
        CopyRequest wanted = request("-", "d");
        wanted.in = file.get();
        const auto copied = copy_into_sandbox(wanted, takes(), listener);
        ASSERT_TRUE(copied);
        EXPECT_TRUE(*copied) << testing::PrintToString(listener.problems);
        EXPECT_THAT(received, HasSubstr(name + "nnn"));
    }
}

TEST_F(CopyFilesTest, AnInputThatStandsStillDoesNotHoldTheEnd) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const os::Fd reader(ends[0]);
    const os::Fd writer(ends[1]);
    CopyRequest wanted = request("-", "d");
    wanted.in = reader.get();
    const auto copied = copy_into_sandbox(
        wanted, [](const RunRequest&, const CommandIo&) { return Result<int>(1); }, listener);
    ASSERT_TRUE(copied);
    EXPECT_FALSE(*copied);
}

}  // namespace
}  // namespace alca::flow
