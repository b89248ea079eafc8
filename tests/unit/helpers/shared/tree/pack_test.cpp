// GNU tar is the judge: it reads what we write, and we read what it writes.
#include "helpers/shared/tree/pack.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include "helpers/shared/tree/relay.hpp"
#include "helpers/shared/tree/tree_writer.hpp"
#include "helpers/shared/tree/unpack.hpp"
#include "support.hpp"

namespace alca::tree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class PackTest : public ::testing::Test {
  protected:
    PackTest() { scratch.make_directory("in/top"); }

    Outcome pack_path(const char* path, std::string_view name, bool follow = false) {
        const Fd directory = scratch.open("in");
        TarWriter writer(sink);
        return pack({.directory = directory.get(),
                     .path = path,
                     .reach = Reach::beneath,
                     .follow_link = follow,
                     .name = name},
                    writer, notes);
    }
    // Has tar unpack what was written, and compares.
    void tar_finds_the_same(const fs::path& top) {
        scratch.make_directory("out");
        scratch.write("stream.tar", sink.bytes);
        tar("-C " + (scratch.path() / "out").string() + " -xpf " +
            (scratch.path() / "stream.tar").string());
        EXPECT_EQ(picture(scratch.path() / "out" / top), picture(scratch.path() / "in" / top));
    }
    static void tar(const std::string& arguments) {
        ASSERT_EQ(std::system(("tar " + arguments).c_str()), 0);
    }
    void make_odd_tree(const fs::path& top) {
        scratch.make_directory(top / "empty");
        scratch.make_directory(top / "d/e/f");
        scratch.write(top / "a", "A");
        scratch.write(top / "nothing", "");
        scratch.write(top / "block", std::string(512, 'b'));
        scratch.write(top / "big", std::string((1U << 20U) + 7, 'x'));
        scratch.write(top / "\xff\xfe", "not UTF-8");
        scratch.write(top / "\xc3\xa4 \xe2\x82\xac", "UTF-8");
        scratch.write(top / "line\nline", "newline");
        scratch.write(top / "-x", "dash");
        scratch.write(top / std::string(255, 'n'), "long");
        fs::path deep = top;
        for (int i = 0; i < 15; ++i) deep /= std::string(200, 'd');
        scratch.make_directory(deep);
        scratch.write(deep / "f", "deep");
        fs::create_symlink("/no/such/\xff", scratch.path() / top / "dangling");
        fs::create_symlink(std::string(3000, 'l'), scratch.path() / top / "long-link");
        fs::create_symlink("..", scratch.path() / top / "up");
        fs::permissions(scratch.path() / top / "a", fs::perms(0400));
        fs::permissions(scratch.path() / top / "d/e", fs::perms(0500));
        fs::last_write_time(scratch.path() / top / "a",
                            fs::file_time_type::clock::now() - std::chrono::hours(100'000));
    }

    Scratch scratch;
    Notes notes;
    StringSink sink;
};

TEST_F(PackTest, TarReadsWhatWasWritten) {
    make_odd_tree("in/top");
    EXPECT_EQ(pack_path("top", "top"), Outcome::all);
    tar_finds_the_same("top");
    EXPECT_THAT(notes.failures, IsEmpty());
}

class TarFormatTest : public PackTest, public ::testing::WithParamInterface<const char*> {};

// In every format that the other tar writes.
TEST_P(TarFormatTest, WhatTarWroteIsRead) {
    make_odd_tree("in/top");
    if (std::string(GetParam()) == "ustar") {
        // It can do neither.
        fs::remove_all(scratch.path() / "in/top" / std::string(200, 'd'));
        fs::remove(scratch.path() / "in/top" / std::string(255, 'n'));
        fs::remove(scratch.path() / "in/top/long-link");
    }
    tar("--format=" + std::string(GetParam()) + " -C " + (scratch.path() / "in").string() +
        " -cf " + (scratch.path() / "stream.tar").string() + " top");
    scratch.make_directory("out");
    const Fd directory = scratch.open("out");
    TreeWriter writer(directory.get(), 0, notes);
    StringSource source(scratch.read("stream.tar"));
    EXPECT_EQ(unpack(source, {.name = "top", .top = "top"}, writer, notes), Outcome::all);
    EXPECT_THAT(notes.failures, IsEmpty());
    EXPECT_EQ(picture(scratch.path() / "out"), picture(scratch.path() / "in"));
}

INSTANTIATE_TEST_SUITE_P(Formats, TarFormatTest, ::testing::Values("gnu", "ustar"));

TEST_F(PackTest, SparseFilesAndHardLinksOfTarPassThroughARelay) {
    scratch.write("in/top/a", "A");
    fs::create_hard_link(scratch.path() / "in/top/a", scratch.path() / "in/top/b");
    std::string sparse(3U << 20U, '\0');
    sparse.replace(1U << 20U, 4, "data");
    scratch.write("in/top/sparse", "");
    fs::resize_file(scratch.path() / "in/top/sparse", sparse.size());
    {
        std::fstream file(scratch.path() / "in/top/sparse", std::ios::in | std::ios::out);
        file.seekp(1U << 20U);
        file << "data";
    }
    for (const std::string format : {"gnu", "pax"}) {
        tar("--format=" + format + " -S -C " + (scratch.path() / "in").string() + " -cf " +
            (scratch.path() / "stream.tar").string() + " top");
        ASSERT_LT(fs::file_size(scratch.path() / "stream.tar"), sparse.size());
        StringSource source(scratch.read("stream.tar"));
        StringSink relayed;
        {
            TarWriter writer(relayed);
            Relay relay(writer, notes, /*takes_holes=*/true);
            EXPECT_EQ(
                unpack(source, {.name = ".", .top = "", .takes_hard_links = true}, relay, notes),
                Outcome::all);
        }
        scratch.make_directory("out-" + format);
        const Fd directory = scratch.open("out-" + format);
        TreeWriter writer(directory.get(), 0, notes);
        StringSource again(relayed.bytes);
        EXPECT_EQ(unpack(again, {.name = ".", .top = "", .takes_hard_links = true}, writer, notes),
                  Outcome::all);
        EXPECT_EQ(picture(scratch.path() / ("out-" + format)), picture(scratch.path() / "in"));
    }
    EXPECT_THAT(notes.failures, IsEmpty());
}

TEST_F(PackTest, ALinkIsCopiedAsALinkUnlessItIsToBeFollowed) {
    scratch.write("in/top/a", "A");
    fs::create_symlink("top/a", scratch.path() / "in/l");
    EXPECT_EQ(pack_path("l", "l"), Outcome::all);
    EXPECT_EQ(sink.bytes[156], '2');
    EXPECT_EQ(sink.bytes.substr(157, 6), std::string("top/a\0", 6));
    sink.bytes.clear();
    EXPECT_EQ(pack_path("l", "l", true), Outcome::all);
    EXPECT_THAT(sink.bytes, HasSubstr("A"));
    EXPECT_EQ(sink.bytes[156], '0');
}

TEST_F(PackTest, NoLinkBelowIsFollowedEvenWhenTheTopIs) {
    scratch.make_directory("outside");
    scratch.write("outside/secret", "secret");
    fs::create_directory_symlink("../../outside", scratch.path() / "in/top/out");
    fs::create_directory_symlink("top", scratch.path() / "in/l");
    EXPECT_EQ(pack_path("l", "l", true), Outcome::all);
    EXPECT_THAT(sink.bytes, testing::Not(HasSubstr("secret")));
}

TEST_F(PackTest, NothingOutsideIsReadByALinkToIt) {
    scratch.make_directory("outside");
    scratch.write("outside/secret", "secret");
    fs::create_directory_symlink("../../outside", scratch.path() / "in/top/out");
    EXPECT_EQ(pack_path("top/out/secret", "secret"), Outcome::some);
    EXPECT_EQ(pack_path("top/out", "out", true), Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(2));
    EXPECT_THAT(sink.bytes, testing::Not(HasSubstr("secret\n")));
}

TEST_F(PackTest, SpecialFilesAreLeftOut) {
    ASSERT_EQ(::mkfifo((scratch.path() / "in/top/fifo").c_str(), 0600), 0);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = (scratch.path() / "in/top/socket").string();
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    scratch.write("in/top/a", "A");
    EXPECT_EQ(pack_path("top", "top"), Outcome::all);
    EXPECT_THAT(notes.left_out, UnorderedElementsAre("top/fifo", "top/socket"));
    EXPECT_EQ(pack_path("top/fifo", "fifo"), Outcome::all);
    EXPECT_THAT(notes.left_out, SizeIs(3));
}

TEST_F(PackTest, SpecialBitsAreLeftOutAndTold) {
    scratch.write("in/top/a", "A");
    fs::permissions(scratch.path() / "in/top/a", fs::perms(06755));
    EXPECT_EQ(pack_path("top/a", "a"), Outcome::all);
    EXPECT_THAT(notes.lost, ElementsAre("a"));
    EXPECT_EQ(sink.bytes.substr(100, 7), "0000755");
}

TEST_F(PackTest, WhatIsNotThereIsTold) {
    EXPECT_EQ(pack_path("nothing", "nothing"), Outcome::some);
    EXPECT_THAT(notes.failures, ElementsAre("nothing: No such file or directory"));
}

TEST_F(PackTest, AFileThatShrinksIsFilledWithZerosAndTold) {
    class ShrinkingSink final : public ByteSink {
      public:
        explicit ShrinkingSink(fs::path file) : file_(std::move(file)) {}
        bool write(const char* data, std::size_t count) override {
            if (bytes.empty()) fs::resize_file(file_, 300'000);
            bytes.append(data, count);
            return true;
        }
        std::string bytes;

      private:
        fs::path file_;
    };
    scratch.write("in/top/a", std::string(2U << 20U, 'x'));
    scratch.write("in/top/b", "B");
    ShrinkingSink shrinking(scratch.path() / "in/top/a");
    const Fd directory = scratch.open("in");
    {
        TarWriter writer(shrinking);
        EXPECT_EQ(pack({.directory = directory.get(), .path = "top/a", .name = "a"}, writer, notes),
                  Outcome::some);
    }
    EXPECT_THAT(notes.failures, ElementsAre(HasSubstr("a: became shorter")));
    // Still a stream that can be read to its end.
    EXPECT_EQ(shrinking.bytes.size(), 512U + (2U << 20U) + 1024U);
}

TEST_F(PackTest, ABrokenSinkEndsIt) {
    class BrokenSink final : public ByteSink {
      public:
        bool write(const char* /*data*/, std::size_t /*count*/) override {
            errno = EPIPE;
            return false;
        }
    };
    scratch.write("in/top/a", std::string(2U << 20U, 'x'));
    BrokenSink broken;
    const Fd directory = scratch.open("in");
    TarWriter writer(broken);
    EXPECT_EQ(pack({.directory = directory.get(), .path = "top", .name = "top"}, writer, notes),
              Outcome::broken);
    EXPECT_THAT(notes.failures, ElementsAre(": Broken pipe"));
}

}  // namespace
}  // namespace alca::tree
