// Streams from a side that means harm: whatever they say, nothing outside changes.
#include "helpers/shared/tree/unpack.hpp"

#include "helpers/shared/tree/relay.hpp"
#include "helpers/shared/tree/tree_writer.hpp"
#include "support.hpp"
#include "tests/support/tar_stream.hpp"

namespace alca::tree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing_support::TarStream;

class UnpackTest : public ::testing::Test {
  protected:
    UnpackTest() {
        scratch.make_directory("outside");
        scratch.write("outside/secret", "secret");
        scratch.make_directory("in");
    }
    void SetUp() override { before = picture(scratch.path() / "outside"); }
    void TearDown() override {
        EXPECT_EQ(picture(scratch.path() / "outside"), before);
        for (const auto& [name, entry] : picture(scratch.path() / "in")) {
            EXPECT_THAT(name, testing::Not(HasSubstr(".alca-cp-")));
        }
        // Nothing beside the two either.
        EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 2);
    }

    Outcome unpack_as(const UnpackRequest& request, const std::string& bytes, mode_t masked = 0) {
        StringSource source(bytes);
        const Fd directory = scratch.open("in");
        TreeWriter writer(directory.get(), masked, notes);
        return unpack(source, request, writer, notes);
    }
    Outcome unpack_tree(const TarStream& stream, mode_t masked = 0) {
        return unpack_as({.name = "top", .top = "top"}, stream.end(), masked);
    }
    [[nodiscard]] bool is_there(const fs::path& name) const {
        return fs::symlink_status(scratch.path() / "in" / name).type() != fs::file_type::not_found;
    }

    Scratch scratch;
    Notes notes;
    std::map<std::string, std::string> before;
};

TEST_F(UnpackTest, TakesWhatIsBelowTheName) {
    const std::string name(200, 'n');
    EXPECT_EQ(unpack_tree(TarStream()
                              .directory("top", 0750)
                              .file("top/a", "A", 0640)
                              .file("./top//" + name, "long")
                              .file("top/\xff\n", "odd")
                              .link("top/l", "a")),
              Outcome::all);
    EXPECT_EQ(scratch.read("in/top/a"), "A");
    EXPECT_EQ(scratch.read("in/top/" + name), "long");
    EXPECT_EQ(scratch.read("in/top/\xff\n"), "odd");
    EXPECT_EQ(fs::read_symlink(scratch.path() / "in/top/l"), "a");
    struct stat info{};
    ASSERT_EQ(::stat((scratch.path() / "in/top/a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
    EXPECT_EQ(info.st_mtime, 07000000000);
    ASSERT_EQ(::stat((scratch.path() / "in/top").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0750U);
    EXPECT_EQ(info.st_mtime, 07000000000);
    EXPECT_THAT(notes.failures, IsEmpty());
}

TEST_F(UnpackTest, RefusesEveryNameThatIsNotBelow) {
    const std::vector<std::string> names{"/etc/x",
                                         "../x",
                                         "top/../../x",
                                         "top/..",
                                         "..",
                                         "other",
                                         "topx",
                                         "top2/x",
                                         "./x",
                                         ".",
                                         "other/top/x",
                                         "//top/x",
                                         "top/a/../../../outside/x"};
    TarStream stream;
    for (const std::string& name : names) stream.file(name, "bad");
    stream.file("top/good", "good");

    EXPECT_EQ(unpack_tree(stream), Outcome::some);

    ASSERT_THAT(notes.failures, SizeIs(names.size()));
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_THAT(notes.failures[i], StartsWith(names[i] + ": "));
    }
    EXPECT_THAT(picture(scratch.path() / "in"), SizeIs(2));  // top and top/good
}

TEST_F(UnpackTest, AContentMayHaveAnyRelativeName) {
    const auto stream =
        TarStream().directory("./").file("a", "A").file("./b/c", "C").file("../x", "");
    EXPECT_EQ(unpack_as({.name = ".", .top = ""}, stream.end()), Outcome::some);
    EXPECT_EQ(scratch.read("in/a"), "A");
    EXPECT_EQ(scratch.read("in/b/c"), "C");
    EXPECT_THAT(notes.failures, SizeIs(1));
}

TEST_F(UnpackTest, TheTopGetsTheNameOfThePlace) {
    const auto stream = TarStream().directory("top").file("top/a", "A");
    EXPECT_EQ(unpack_as({.name = "top", .top = "new"}, stream.end()), Outcome::all);
    EXPECT_EQ(scratch.read("in/new/a"), "A");
}

TEST_F(UnpackTest, NothingPassesThroughALinkOfTheStream) {
    EXPECT_EQ(unpack_tree(TarStream()
                              .directory("top")
                              .link("top/up", "../../outside")
                              .file("top/up/new", "bad")
                              .directory("top/up/dir")
                              .link("top/up/l", "x")
                              .directory("top/up", 0777)
                              .link("top/secret", "../../outside/secret")
                              .file("top/secret", "mine")),
              Outcome::some);
    EXPECT_THAT(notes.failures, ElementsAre(StartsWith("top/up/new: a symbolic link stands"),
                                            StartsWith("top/up/dir: a symbolic link stands"),
                                            StartsWith("top/up/l: a symbolic link stands"),
                                            StartsWith("top/up: ")));
    // A link is replaced, not written through.
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(scratch.path() / "in/top/secret")));
    EXPECT_EQ(scratch.read("in/top/secret"), "mine");
    EXPECT_THAT(notes.leading_out,
                ElementsAre("top/up -> ../../outside", "top/secret -> ../../outside/secret"));
}

TEST_F(UnpackTest, NothingPassesThroughALinkThatWasThere) {
    scratch.make_directory("in/top");
    fs::create_directory_symlink(scratch.path() / "outside", scratch.path() / "in/top/up");
    fs::create_symlink(scratch.path() / "outside/secret", scratch.path() / "in/top/file");

    EXPECT_EQ(unpack_tree(TarStream()
                              .file("top/up/secret", "bad")
                              .file("top/up/deep/er", "bad")
                              .file("top/file", "mine")),
              Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(2));
    EXPECT_EQ(scratch.read("in/top/file"), "mine");
}

TEST_F(UnpackTest, TheTopItselfIsNoWayOutEither) {
    fs::create_directory_symlink("../outside", scratch.path() / "in/top");
    EXPECT_EQ(unpack_tree(TarStream().directory("top", 0700).file("top/secret", "bad")),
              Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(2));
}

// The side that shares the directory swaps a directory for a link between two entries.
TEST_F(UnpackTest, ALinkThatComesMeanwhileIsNotFollowed) {
    class Swapper final : public ByteSource {
      public:
        Swapper(std::vector<std::string> parts, std::function<void()> swap)
            : parts_(std::move(parts)), swap_(std::move(swap)) {}
        ssize_t read(char* at, std::size_t count) override {
            if (next_ == parts_.size()) return 0;
            if (next_ == 1) swap_();
            const std::string& part = parts_[next_++];
            EXPECT_LE(part.size(), count);
            std::memcpy(at, part.data(), part.size());
            return static_cast<ssize_t>(part.size());
        }

      private:
        std::vector<std::string> parts_;
        std::function<void()> swap_;
        std::size_t next_ = 0;
    };
    const fs::path top = scratch.path() / "in/top";
    Swapper source(
        {TarStream().directory("top").directory("top/d").file("top/d/a", "A").cut_short(),
         TarStream().file("top/x", "X").file("top/d/b", "bad").end()},
        [&] {
            fs::rename(top / "d", top / "moved");
            fs::create_directory_symlink("../../outside", top / "d");
        });
    const Fd directory = scratch.open("in");
    TreeWriter writer(directory.get(), 0, notes);
    EXPECT_EQ(unpack(source, {.name = "top", .top = "top"}, writer, notes), Outcome::some);
    EXPECT_EQ(scratch.read("in/top/x"), "X");
    EXPECT_THAT(notes.failures, Contains(StartsWith("top/d/b: a symbolic link stands")));
}

TEST_F(UnpackTest, DevicesPipesAndHardLinksAreRefused) {
    EXPECT_EQ(unpack_tree(TarStream()
                              .file("top/a", "A")
                              .add({.name = "top/char", .type = '3'})
                              .add({.name = "top/block", .type = '4'})
                              .add({.name = "top/fifo", .type = '6'})
                              .add({.name = "top/hard", .type = '1', .link = "../outside/secret"})
                              .add({.name = "top/own", .type = '1', .link = "top/a"})),
              Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(5));
    EXPECT_THAT(picture(scratch.path() / "in"), SizeIs(2));
}

TEST_F(UnpackTest, WhereHardLinksAreTakenTheyAreCopiesOfWhatIsInside) {
    const auto stream = TarStream()
                            .file("top/a", "A", 0600)
                            .add({.name = "top/b", .type = '1', .link = "top/a"})
                            .link("top/l", "../../outside/secret")
                            .add({.name = "top/c", .type = '1', .link = "top/l"})
                            .add({.name = "top/d", .type = '1', .link = "../outside/secret"})
                            .add({.name = "top/e", .type = '1', .link = "top"});
    EXPECT_EQ(unpack_as({.name = "top", .top = "top", .takes_hard_links = true}, stream.end()),
              Outcome::some);
    EXPECT_EQ(scratch.read("in/top/b"), "A");
    EXPECT_EQ(fs::hard_link_count(scratch.path() / "in/top/a"), 1U);
    EXPECT_THAT(notes.failures,
                ElementsAre(StartsWith("top/c: "), StartsWith("top/d: "), StartsWith("top/e: ")));
}

TEST_F(UnpackTest, SpecialBitsAndMaskedOnesAreNotGiven) {
    EXPECT_EQ(unpack_tree(TarStream().directory("top", 02777).file("top/a", "A", 06777), 0022),
              Outcome::all);
    struct stat info{};
    ASSERT_EQ(::stat((scratch.path() / "in/top/a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    EXPECT_EQ(info.st_uid, ::geteuid());
    ASSERT_EQ(::stat((scratch.path() / "in/top").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    EXPECT_THAT(notes.lost, ElementsAre("top", "top/a"));
}

TEST_F(UnpackTest, ADirectoryThatWasThereKeepsItsModeAndContent) {
    scratch.make_directory("in/top");
    scratch.write("in/top/mine", "mine");
    fs::permissions(scratch.path() / "in/top", fs::perms(0700));
    EXPECT_EQ(unpack_tree(TarStream().directory("top", 0777).file("top/a", "A")), Outcome::all);
    struct stat info{};
    ASSERT_EQ(::stat((scratch.path() / "in/top").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0700U);
    EXPECT_EQ(scratch.read("in/top/mine"), "mine");
}

TEST_F(UnpackTest, ADirectoryIsNotReplacedByAFileNorAFileByADirectory) {
    scratch.make_directory("in/top/d");
    scratch.write("in/top/f", "mine");
    EXPECT_EQ(unpack_tree(TarStream()
                              .file("top/d", "bad")
                              .link("top/d", "x")
                              .directory("top/f")
                              .file("top/f/x", "bad")),
              Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(4));
    EXPECT_TRUE(fs::is_directory(scratch.path() / "in/top/d"));
    EXPECT_EQ(scratch.read("in/top/f"), "mine");
}

TEST_F(UnpackTest, TheLastOfSeveralEntriesWithOneNameCounts) {
    EXPECT_EQ(unpack_tree(TarStream()
                              .file("top", "one")
                              .file("top", "two")
                              .link("top", "x")
                              .file("top", "three")),
              Outcome::all);
    EXPECT_EQ(scratch.read("in/top"), "three");
}

TEST_F(UnpackTest, AFileThatIsCutShortDoesNotComeToBe) {
    const std::string whole = TarStream().file("top", std::string(3000, 'x')).end();
    scratch.write("in/top", "mine");
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 2000U, 3500U}) {
        EXPECT_EQ(unpack_as({.name = "top", .top = "top"}, whole.substr(0, size)), Outcome::broken)
            << size;
        EXPECT_EQ(scratch.read("in/top"), "mine");
    }
    EXPECT_THAT(notes.failures, SizeIs(7));
}

TEST_F(UnpackTest, ASizeBeyondTheStreamIsAnError) {
    for (const char* size :
         {"77777777777", "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "9z"}) {
        const auto stream = TarStream().add({.name = "top/a", .size = size}, "A");
        EXPECT_NE(unpack_tree(stream), Outcome::all);
        EXPECT_FALSE(is_there("top/a"));
    }
}

TEST_F(UnpackTest, GarbageIsAnError) {
    std::string noise;
    for (unsigned i = 0; i < 5000; ++i)
        noise.push_back(static_cast<char>((i * 2654435761U) >> 13U));
    EXPECT_EQ(unpack_as({.name = "top", .top = "top"}, noise), Outcome::broken);
    EXPECT_EQ(unpack_tree(TarStream().file("top/a", "A").raw(noise.substr(0, 512))),
              Outcome::broken);
    EXPECT_EQ(scratch.read("in/top/a"), "A");
}

TEST_F(UnpackTest, AnEndlessNameIsAnError) {
    EXPECT_EQ(unpack_tree(TarStream().file("top/" + std::string(5000, 'x'), "").file("top/b", "B")),
              Outcome::some);
    EXPECT_EQ(unpack_tree(TarStream().file("top/" + std::string(3U << 20U, 'x'), "")),
              Outcome::broken);
    EXPECT_THAT(notes.failures, SizeIs(2));
}

// A list of the parts of a sparse file that goes on in one block after the other: the library keeps
// all of it.
TEST_F(UnpackTest, AHeadWithoutEndIsAnError) {
    std::string head(512, '\0');
    head.replace(0, 5, "top/a").replace(100, 7, "0000644").replace(124, 11, "00000000000");
    head.replace(156, 1, "S").replace(257, 7, "ustar  ").replace(148, 8, "        ");
    head.replace(386, 23,
                 std::string("00000000000\0"
                             "00000000000",
                             23));
    head[482] = 1;
    head.replace(483, 11, "77777777777");
    unsigned sum = 0;
    for (const char c : head) sum += static_cast<unsigned char>(c);
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%06o", sum);
    head.replace(148, 7, digits.data(), 7);
    std::string more(512, '\0');
    for (std::size_t i = 0; i < 21; ++i) {
        more.replace(24 * i, 23,
                     std::string("00000000001\0"
                                 "00000000001",
                                 23));
    }
    more[504] = 1;
    std::string stream = head;
    for (int i = 0; i < 20'000; ++i) stream += more;
    EXPECT_EQ(unpack_as({.name = "top", .top = "top"}, stream), Outcome::broken);
    ASSERT_THAT(notes.failures, SizeIs(1));
    EXPECT_THAT(notes.failures[0], HasSubstr("File too large"));
}

TEST_F(UnpackTest, WhatIsNeitherFileNorLinkIsNotReplaced) {
    scratch.make_directory("in/top");
    ASSERT_EQ(::mkfifo((scratch.path() / "in/top/pipe").c_str(), 0600), 0);
    EXPECT_EQ(unpack_tree(TarStream().file("top/pipe", "bad").link("top/pipe", "x")),
              Outcome::some);
    EXPECT_THAT(notes.failures, SizeIs(2));
    EXPECT_TRUE(fs::is_fifo(scratch.path() / "in/top/pipe"));
}

TEST_F(UnpackTest, NamesAsLongAsAPathPass) {
    std::string path = "top";
    while (path.size() < 3800) path += "/" + std::string(200, 'd');
    ASSERT_EQ(unpack_tree(TarStream().file(path + "/f", "deep")), Outcome::all);
}

TEST_F(UnpackTest, NothingAtAllIsAnErrorWhereSomethingWasAskedFor) {
    EXPECT_EQ(unpack_tree(TarStream()), Outcome::broken);
    EXPECT_EQ(unpack_as({.name = ".", .top = ""}, TarStream().end()), Outcome::all);
}

TEST_F(UnpackTest, AFileIsNotPutWhereADirectoryWasAskedFor) {
    EXPECT_EQ(unpack_as({.name = "top", .top = "new", .must_be_directory = true},
                        TarStream().file("top", "A").end()),
              Outcome::broken);
    EXPECT_FALSE(is_there("new"));
    EXPECT_EQ(unpack_as({.name = ".", .top = ""}, TarStream().link("./", "x").end()),
              Outcome::some);
}

TEST_F(UnpackTest, ADirectoryThatNobodyMayWriteIsFilledFirst) {
    EXPECT_EQ(unpack_tree(TarStream()
                              .directory("top", 0500)
                              .directory("top/d", 0500)
                              .file("top/d/a", "A", 0400)
                              .file("top/b", "B")),
              Outcome::all);
    struct stat info{};
    ASSERT_EQ(::stat((scratch.path() / "in/top/d").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0500U);
}

// ---- to another stream --------------------------------------------------------------------------

TEST_F(UnpackTest, ARelayLeavesOutWhatIsRefused) {
    StringSource source(TarStream()
                            .directory("top")
                            .file("top/a", "A")
                            .file("../x", "bad")
                            .add({.name = "top/dev", .type = '3'})
                            .link("top/l", "a")
                            .end());
    StringSink sink;
    {
        TarWriter writer(sink);
        Relay relay(writer, notes, /*takes_holes=*/true);
        EXPECT_EQ(unpack(source, {.name = "top", .top = "top"}, relay, notes), Outcome::some);
    }
    EXPECT_EQ(unpack_as({.name = "top", .top = "top"}, sink.bytes), Outcome::all);
    EXPECT_EQ(scratch.read("in/top/a"), "A");
    EXPECT_THAT(picture(scratch.path() / "in"), SizeIs(3));
}

}  // namespace
}  // namespace alca::tree
