// The console writes to descriptors 1 and 2 and reads 0: each test has its own in their place.
#include "core/cli/console.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::cli {
namespace {

using testing::HasSubstr;

// Puts another file in place of a standard descriptor for the life of the object.
class Redirected {
  public:
    Redirected(int number, int file)
        : number_(number), saved_(::fcntl(number, F_DUPFD_CLOEXEC, 3)) {
        ::dup2(file, number);
    }
    ~Redirected() { ::dup2(saved_.get(), number_); }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;

  private:
    int number_;
    os::Fd saved_;
};

std::string content_of(const os::Fd& file) {
    std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
}

struct Output {
    std::string out;
    std::string err;
};

// What a console that is not on a terminal prints in `use`.
Output printed(bool quiet, const std::function<void(Console&)>& use) {
    const os::Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const os::Fd out(::memfd_create("out", MFD_CLOEXEC));
    const os::Fd err(::memfd_create("err", MFD_CLOEXEC));
    {
        const Redirected from(STDIN_FILENO, in.get());
        const Redirected to(STDOUT_FILENO, out.get());
        const Redirected errors(STDERR_FILENO, err.get());
        Console console(quiet, /*cancel_fd=*/-1);
        use(console);
    }
    return {content_of(out), content_of(err)};
}

Progress bytes(std::uint64_t done, std::uint64_t total, bool finished = false) {
    return {.step = "", .done = done, .total = total, .unit = "bytes", .finished = finished};
}

TEST(ConsoleTest, StepsGoToStdoutAndWarningsToStderr) {
    const Output is = printed(false, [](Console& console) {
        console.step("Creating");
        console.success("Ready");
        console.notice("a line");
        console.warn("careful");
    });

    EXPECT_EQ(is.out, "→ Creating\n✓ Ready\na line\n");
    EXPECT_EQ(is.err, "alca: careful\n");
}

TEST(ConsoleTest, QuietHidesAllButWarnings) {
    const Output is = printed(true, [](Console& console) {
        console.step("Creating");
        console.success("Ready");
        console.notice("a line");
        console.show(bytes(1, 2, true));
        console.warn("careful");
    });

    EXPECT_EQ(is.out, "");
    EXPECT_EQ(is.err, "alca: careful\n");
}

// Names of files and of containers may come from a sandbox.
TEST(ConsoleTest, ControlCharactersAreMadeVisibleAndNewlinesStay) {
    const Output is = printed(false, [](Console& console) {
        console.notice("a\x1b[2Jb\rc\nd");
        console.warn("x\x1b[31my");
    });

    EXPECT_EQ(is.out.find_first_of("\x1b\r"), std::string::npos) << is.out;
    EXPECT_EQ(std::count(is.out.begin(), is.out.end(), '\n'), 2);
    EXPECT_EQ(is.err.find('\x1b'), std::string::npos) << is.err;
}

TEST(ConsoleTest, WithoutATerminalThereIsNobodyToAskAndNothingIsPrinted) {
    std::optional<bool> answer = true;

    const Output is =
        printed(false, [&](Console& console) { answer = console.confirm("Rebuild?"); });

    EXPECT_EQ(answer, std::nullopt);
    EXPECT_EQ(is.out + is.err, "");
}

TEST(ConsoleTest, WithoutATerminalProgressIsALineForEachTenth) {
    const Output is = printed(false, [](Console& console) {
        console.show({.step = "pulling", .done = 0, .total = 0, .unit = "", .finished = false});
        for (std::uint64_t done = 0; done <= 100; ++done) {
            console.show(bytes(done * 1'000'000, 100'000'000));
        }
    });

    std::string expected = "→ pulling\n";
    for (int tenth = 1; tenth <= 10; ++tenth) {
        expected += "→ pulling: " + std::to_string(tenth * 10) + ".0 MB of 100.0 MB (" +
                    std::to_string(tenth * 10) + " %)\n";
    }
    EXPECT_EQ(is.out, expected);
}

TEST(ConsoleTest, WithoutATerminalNoControlCharactersArePrinted) {
    const Output is = printed(false, [](Console& console) {
        console.show(
            {.step = "pulling", .done = 0, .total = 9, .unit = "bytes", .finished = false});
        console.show(bytes(9, 9, true));
    });

    EXPECT_EQ(is.out.find_first_of("\r\x1b"), std::string::npos);
}

TEST(ConsoleTest, ANewStepBeginsItsTenthsAnew) {
    const Output is = printed(false, [](Console& console) {
        console.show({.step = "one", .done = 9, .total = 9, .unit = "files", .finished = true});
        console.show({.step = "two", .done = 1, .total = 9, .unit = "files", .finished = false});
        console.show({.step = "", .done = 2, .total = 9, .unit = "files", .finished = false});
    });

    EXPECT_EQ(is.out,
              "→ one: 9 files of 9 files (100 %)\n→ two: 1 files of 9 files (11 %)\n"
              "→ two: 2 files of 9 files (22 %)\n");
}

TEST(ConsoleTest, ProgressOfAnUnknownTotalSaysWhatIsDone) {
    const Output is = printed(false, [](Console& console) {
        console.show(
            {.step = "one", .done = 1'500'000, .total = 0, .unit = "bytes", .finished = false});
        console.show(bytes(2'000'000, 0));
        console.show(bytes(3'000'000, 0, true));
    });

    EXPECT_EQ(is.out, "→ one: 1.5 MB\n→ one: 3.0 MB\n");
}

// ---- on a terminal ------------------------------------------------------------------------------

class ConsoleOnTerminalTest : public testing::Test {
  protected:
    ConsoleOnTerminalTest() {
        int master = -1;
        int slave = -1;
        EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
        master_.reset(master);
        slave_.reset(slave);
        termios modes{};
        ::tcgetattr(slave, &modes);
        modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
        modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(slave, TCSANOW, &modes);
    }
    // The answer to a question when `typed` was typed.
    std::optional<bool> answer(const std::string& typed) {
        EXPECT_TRUE(os::write_all(master_.get(), typed));
        const Redirected in(STDIN_FILENO, slave_.get());
        const Redirected err(STDERR_FILENO, slave_.get());
        Console console(/*quiet=*/true, /*cancel_fd=*/-1);
        return console.confirm("Rebuild?");
    }
    // What stands on the terminal. Its end is marked, because the kernel passes it on in parts.
    [[nodiscard]] std::string shown() const {
        constexpr std::string_view kEnd = "\x01";
        EXPECT_TRUE(os::write_all(slave_.get(), kEnd));
        std::string text;
        std::array<char, 4096> buffer{};
        while (!text.ends_with(kEnd)) {
            const ssize_t count = ::read(master_.get(), buffer.data(), buffer.size());
            if (count <= 0) break;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return text.substr(0, text.size() - kEnd.size());
    }

    os::Fd master_;
    os::Fd slave_;
};

TEST_F(ConsoleOnTerminalTest, OnlyYesIsYes) {
    for (const char* yes : {"y\n", "Y\n", "yes\n", "Yes\n", "YES\n"}) {
        EXPECT_EQ(answer(yes), true) << yes;
    }
    for (const char* no : {"\n", "n\n", "no\n", "yep\n", " y\n", "yy\n"}) {
        EXPECT_EQ(answer(no), false) << no;
    }
}

TEST_F(ConsoleOnTerminalTest, TheEndOfTheInputIsNo) { EXPECT_EQ(answer("\x04"), false); }

TEST_F(ConsoleOnTerminalTest, CancellationAnswersNoWithoutWaiting) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const os::Fd cancel(ends[0]);
    const os::Fd writer(ends[1]);
    ASSERT_TRUE(os::write_all(writer.get(), "x"));
    const Redirected in(STDIN_FILENO, slave_.get());
    const Redirected err(STDERR_FILENO, slave_.get());
    Console console(/*quiet=*/true, cancel.get());

    EXPECT_EQ(console.confirm("Rebuild?"), false);
}

TEST_F(ConsoleOnTerminalTest, TheQuestionIsSeenEvenWhenQuiet) {
    static_cast<void>(answer("n\n"));

    EXPECT_EQ(shown(), "Rebuild? [y/N] ");
}

TEST_F(ConsoleOnTerminalTest, ProgressRewritesItsLineAndALineBehindItBeginsAnew) {
    {
        const Redirected out(STDOUT_FILENO, slave_.get());
        Console console(/*quiet=*/false, /*cancel_fd=*/-1);
        console.show({.step = "one", .done = 1, .total = 2, .unit = "files", .finished = false});
        console.step("next");
    }

    EXPECT_EQ(shown(), "\r\x1b[K→ one: 1 files of 2 files (50 %)\n→ next\n");
}

TEST_F(ConsoleOnTerminalTest, AFinishedStepIsShownHoweverSoonItCame) {
    {
        const Redirected out(STDOUT_FILENO, slave_.get());
        Console console(/*quiet=*/false, /*cancel_fd=*/-1);
        console.show({.step = "one", .done = 1, .total = 2, .unit = "files", .finished = false});
        console.show({.step = "", .done = 2, .total = 2, .unit = "files", .finished = true});
    }

    EXPECT_THAT(shown(), HasSubstr("one: 2 files of 2 files (100 %)\n"));
}

}  // namespace
}  // namespace alca::cli
