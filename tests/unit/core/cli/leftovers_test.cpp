#include "core/cli/leftovers.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace alca::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LeftoversTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "alca-leftovers-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }

    void write(const std::string& name, const std::string& text = "") {
        const fs::path file = root_ / name;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    fs::path root_;
};

TEST_F(LeftoversTest, NothingIsFoundWhereNothingIs) {
    EXPECT_THAT(leftover_files(root_), IsEmpty());
    write("etc/nftables.conf", "flush ruleset\n");
    fs::create_directories(root_ / "etc/nftables.d/alcatraz");
    write("etc/nftables.d/other.nft");
    EXPECT_THAT(leftover_files(root_), IsEmpty());
}

TEST_F(LeftoversTest, RuleFilesAreNamedInOrderAndNothingElseInTheirDirectory) {
    for (const char* name : {"-b.nft", "-a.nft", ".managed-by-alcatraz"}) {
        write(std::string("etc/nftables.d/alcatraz/") + name);
    }
    const auto found = leftover_files(root_);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].items, ElementsAre((root_ / "etc/nftables.d/alcatraz/-a.nft").string(),
                                            (root_ / "etc/nftables.d/alcatraz/-b.nft").string()));
    EXPECT_TRUE(fs::exists(root_ / "etc/nftables.d/alcatraz/-a.nft"));
}

TEST_F(LeftoversTest, LineThatLoadsThemIsNamed) {
    write("etc/nftables.conf", "table inet x {}\n  include \"/etc/nftables.d/alcatraz/*.nft\"");
    const auto found = leftover_files(root_);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].name, "old include line");
    EXPECT_THAT(found[0].items, ElementsAre((root_ / "etc/nftables.conf").string()));
}

TEST_F(LeftoversTest, LinesThatDoNotLoadThemAreNone) {
    write("etc/nftables.conf",
          "# include \"/etc/nftables.d/alcatraz/*.nft\"\ninclude \"/etc/nftables.d/*.nft\"\n");
    EXPECT_THAT(leftover_files(root_), IsEmpty());
}

TEST_F(LeftoversTest, DirectoryThatCannotBeReadIsTold) {
    if (::geteuid() == 0) GTEST_SKIP() << "root reads every directory";
    write("etc/nftables.d/alcatraz/-a.nft");
    ASSERT_EQ(::chmod((root_ / "etc/nftables.d/alcatraz").c_str(), 0), 0);
    const auto found = leftover_files(root_);
    ASSERT_EQ(::chmod((root_ / "etc/nftables.d/alcatraz").c_str(), 0755), 0);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].items, ElementsAre(testing::HasSubstr("ermission denied")));
}

TEST_F(LeftoversTest, ContainersWithoutANetworkOfTheirOwnAreTheirs) {
    SandboxStatus ours;
    ours.name = "alca-ours";
    ours.networks = {"alca-5141c8d3-226"};
    SandboxStatus theirs;
    theirs.name = "alca-theirs";
    theirs.networks = {"bridge"};
    EXPECT_FALSE(leftover_containers({ours}).has_value());
    EXPECT_FALSE(leftover_containers({SandboxStatus()}).has_value()) << "its runtime does not tell";
    const auto found = leftover_containers({ours, theirs});
    ASSERT_TRUE(found.has_value());
    EXPECT_THAT(found->items, ElementsAre("alca-theirs"));
}

}  // namespace
}  // namespace alca::cli
