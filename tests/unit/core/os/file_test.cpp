#include "core/os/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "tests/support/fakes/temporary_project.hpp"

namespace alca::os {
namespace {

using fakes::read_text;
using fakes::write_text;
using testing::HasSubstr;
using testing::StartsWith;

class FileTest : public testing::Test {
  protected:
    [[nodiscard]] fs::path at(const char* name) const { return directory_.path() / name; }
    [[nodiscard]] std::size_t entries(const fs::path& directory) const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
    }
    [[nodiscard]] std::size_t entries() const { return entries(directory_.path()); }
    static mode_t mode_of(const fs::path& file) {
        struct stat info{};
        return ::lstat(file.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
    }
    // The error of a read that must fail.
    static Error error_of(const Result<std::string>& read) {
        if (!read) return read.error();
        ADD_FAILURE() << "read " << read->size() << " bytes";
        return {};
    }

    fakes::TemporaryDirectory directory_;
};

// ---- read_file ----------------------------------------------------------------------------------

TEST_F(FileTest, ReadsAllBytes) {
    const std::string content(100'000, '\0');
    write_text(at("f"), content);

    EXPECT_EQ(read_file(at("f"), 100'000).value_or("?"), content);
}

TEST_F(FileTest, AnEmptyFileIsEmptyText) {
    write_text(at("f"), "");
    EXPECT_EQ(read_file(at("f"), 0).value_or("?"), "");
}

TEST_F(FileTest, AFileMayBeAsLargeAsTheLimitAndNotLarger) {
    write_text(at("f"), "12345");

    EXPECT_EQ(read_file(at("f"), 5).value_or("?"), "12345");
    const Error error = error_of(read_file(at("f"), 4));
    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_THAT(error.message, HasSubstr("limit of 4 bytes"));
}

TEST_F(FileTest, AMissingFileIsNotFoundAndIsNamed) {
    const Error error = error_of(read_file(at("gone"), 10));

    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_THAT(error.message, StartsWith(at("gone").string()));
}

TEST_F(FileTest, AFileBelowAFileIsNotFound) {
    write_text(at("f"), "");
    EXPECT_EQ(error_of(read_file(at("f") / "x", 10)).code, Code::not_found);
}

TEST_F(FileTest, ADirectoryIsNoRegularFile) {
    EXPECT_EQ(error_of(read_file(directory_.path(), 10)).code, Code::invalid);
}

// Nobody writes to it: a reader that waits for one would hang.
TEST_F(FileTest, AFifoIsRefusedAndNotWaitedFor) {
    ASSERT_EQ(::mkfifo(at("f").c_str(), 0600), 0);

    const Error error = error_of(read_file(at("f"), 10));

    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_THAT(error.message, HasSubstr("not a regular file"));
}

TEST_F(FileTest, ADeviceIsRefused) {
    EXPECT_EQ(error_of(read_file("/dev/zero", 10)).code, Code::invalid);
}

TEST_F(FileTest, ASymlinkIsFollowedOnlyWhenAskedFor) {
    write_text(at("f"), "text");
    fs::create_symlink("f", at("link"));

    EXPECT_EQ(read_file(at("link"), 10).value_or("?"), "text");
    EXPECT_EQ(error_of(read_file(at("link"), 10, Follow::no)).code, Code::invalid);
    EXPECT_EQ(read_file(at("f"), 10, Follow::no).value_or("?"), "text");
}

TEST_F(FileTest, AFileOfTheKernelWhoseSizeIsZeroIsReadWhole) {
    EXPECT_THAT(read_file("/proc/self/status", 100'000).value_or("?"), HasSubstr("CapEff:"));
}

// ---- write_file_atomic --------------------------------------------------------------------------

TEST_F(FileTest, WritesContentAndModeWhateverTheUmaskIs) {
    const mode_t before = ::umask(077);
    const auto written = write_file_atomic(at("f"), "text", 0644);
    ::umask(before);

    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(read_text(at("f")), "text");
    EXPECT_EQ(mode_of(at("f")), 0644U);
    EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, ReplacesAnotherFileAndItsMode) {
    write_text(at("f"), "old and longer");
    fs::permissions(at("f"), fs::perms::all);

    ASSERT_TRUE(write_file_atomic(at("f"), "new", 0600));

    EXPECT_EQ(read_text(at("f")), "new");
    EXPECT_EQ(mode_of(at("f")), 0600U);
}

TEST_F(FileTest, AnOpenOldFileKeepsItsContent) {
    write_text(at("f"), "old");
    const Fd open(::open(at("f").c_str(), O_RDONLY | O_CLOEXEC));

    ASSERT_TRUE(write_file_atomic(at("f"), "new", 0600));

    std::array<char, 8> buffer{};
    EXPECT_EQ(::read(open.get(), buffer.data(), buffer.size()), 3);
    EXPECT_STREQ(buffer.data(), "old");
}

TEST_F(FileTest, ASymlinkIsReplacedAndItsTargetUntouched) {
    write_text(at("target"), "old");
    fs::create_symlink("target", at("f"));

    ASSERT_TRUE(write_file_atomic(at("f"), "new", 0600));

    EXPECT_FALSE(fs::is_symlink(at("f")));
    EXPECT_EQ(read_text(at("f")), "new");
    EXPECT_EQ(read_text(at("target")), "old");
}

TEST_F(FileTest, ADirectoryInPlaceOfTheFileLeavesNoTemporaryFile) {
    fs::create_directory(at("f"));

    EXPECT_FALSE(write_file_atomic(at("f"), "new", 0600));

    EXPECT_TRUE(fs::is_directory(at("f")));
    EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, AMissingDirectoryIsAnErrorThatNamesTheFile) {
    const auto written = write_file_atomic(at("gone") / "f", "new", 0600);

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::not_found);
    EXPECT_THAT(written.error().message, StartsWith((at("gone") / "f").string()));
}

TEST_F(FileTest, OldContentStaysOnAFullDiskAndNoTemporaryFile) {
    fs::create_directory(at("disk"));
    if (::mount("tmpfs", at("disk").c_str(), "tmpfs", 0, "size=64k") != 0) {
        GTEST_SKIP() << "needs the right to mount a small file system: " << errno_text(errno);
    }
    const fs::path file = at("disk") / "f";
    write_text(file, "old");

    const auto written = write_file_atomic(file, std::string(200'000, 'x'), 0600);

    const std::string content = read_text(file);
    const std::size_t count = entries(at("disk"));
    ASSERT_EQ(::umount(at("disk").c_str()), 0);
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("No space left on device"));
    EXPECT_EQ(content, "old");
    EXPECT_EQ(count, 1U) << "a temporary file is left";
}

// A reader never sees a half written file.
TEST_F(FileTest, AReaderSeesTheOldOrTheNewContentAndNothingElse) {
    const std::string a(50'000, 'a');
    const std::string b(50'000, 'b');
    ASSERT_TRUE(write_file_atomic(at("f"), a, 0600));
    std::jthread writer([&](const std::stop_token& stop) {
        for (bool flip = false; !stop.stop_requested(); flip = !flip) {
            static_cast<void>(write_file_atomic(at("f"), flip ? a : b, 0600));
        }
    });
    for (int i = 0; i < 200; ++i) {
        const std::string seen = read_file(at("f"), 1'000'000).value_or("?");
        ASSERT_TRUE(seen == a || seen == b) << "saw " << seen.size() << " bytes";
    }
}

// ---- remove_stale_temporaries -------------------------------------------------------------------

TEST_F(FileTest, RemovesOldTemporaryFilesOfThisFileAlone) {
    for (const char* name : {"f", "f.abc123", "f.abc12", "f.abc-12", "g.abc123", "f.ABCdef"}) {
        write_text(at(name), "x");
        fs::last_write_time(at(name), fs::file_time_type::clock::now() - std::chrono::hours(1));
    }

    remove_stale_temporaries(at("f"), std::chrono::seconds(60));

    EXPECT_FALSE(fs::exists(at("f.abc123")));
    EXPECT_FALSE(fs::exists(at("f.ABCdef")));
    EXPECT_EQ(entries(), 4U);
    EXPECT_TRUE(fs::exists(at("f")));
}

TEST_F(FileTest, ATemporaryFileThatIsBeingWrittenStays) {
    write_text(at("f.abc123"), "x");

    remove_stale_temporaries(at("f"), std::chrono::seconds(60));

    EXPECT_TRUE(fs::exists(at("f.abc123")));
}

TEST_F(FileTest, WhatIsNoRegularFileIsNoTemporaryFile) {
    fs::create_directory(at("f.abc123"));
    fs::create_symlink("/etc/passwd", at("f.abc124"));

    remove_stale_temporaries(at("f"), std::chrono::seconds(-3600));

    EXPECT_EQ(entries(), 2U);
}

// ---- make_directories ---------------------------------------------------------------------------

TEST_F(FileTest, MakesAllDirectoriesThatAreMissingWithTheMode) {
    ASSERT_TRUE(make_directories(at("a") / "b" / "c", 0700));

    EXPECT_EQ(mode_of(at("a")), 0700U);
    EXPECT_EQ(mode_of(at("a") / "b" / "c"), 0700U);
}

TEST_F(FileTest, ADirectoryThatIsThereKeepsItsMode) {
    fs::create_directory(at("a"));
    fs::permissions(at("a"), static_cast<fs::perms>(0750));

    ASSERT_TRUE(make_directories(at("a"), 0700));
    ASSERT_TRUE(make_directories(at("a") / "b", 0700));

    EXPECT_EQ(mode_of(at("a")), 0750U);
}

TEST_F(FileTest, ASymlinkToADirectoryIsOne) {
    fs::create_directory(at("a"));
    fs::create_symlink("a", at("link"));

    EXPECT_TRUE(make_directories(at("link"), 0700));
}

TEST_F(FileTest, AFileInPlaceOfADirectoryIsAnError) {
    write_text(at("f"), "");

    const auto made = make_directories(at("f"), 0700);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid);

    EXPECT_FALSE(make_directories(at("f") / "x", 0700));
}

TEST_F(FileTest, ASymlinkThatLeadsNowhereIsAnError) {
    fs::create_symlink("gone", at("link"));
    EXPECT_FALSE(make_directories(at("link"), 0700));
}

// ---- write_all ----------------------------------------------------------------------------------

TEST_F(FileTest, WritesMoreThanAPipeHolds) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    const std::string sent(1'000'000, 'x');
    std::string received;
    {
        std::jthread reader([&] {
            std::array<char, 4096> buffer{};
            ssize_t count = 0;
            while ((count = ::read(read_end.get(), buffer.data(), buffer.size())) > 0) {
                received.append(buffer.data(), static_cast<std::size_t>(count));
            }
        });
        EXPECT_TRUE(write_all(write_end.get(), sent));
        write_end.reset();
    }
    EXPECT_TRUE(received == sent) << received.size();
}

TEST_F(FileTest, AClosedDescriptorIsAnError) { EXPECT_FALSE(write_all(-1, "x")); }

}  // namespace
}  // namespace alca::os
