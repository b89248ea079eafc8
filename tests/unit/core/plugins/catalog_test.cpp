#include "core/plugins/catalog.hpp"

#include <gmock/gmock.h>

#include "core/plugins/manifest.hpp"
#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using test::manifest_text;
using test::TempDir;
using ::testing::HasSubstr;

class CatalogTest : public ::testing::Test {
  protected:
    void add(const fs::path& directory, const std::string& id, const std::string& text) const {
        test::write(directory / (id + ".alca.json"), text);
        fs::copy_file(fs::path(ALCA_BAD_PLUGIN_DIR) / "crashes-at-load.so",
                      directory / (id + ".so"));
        ::chmod((directory / (id + ".so")).c_str(), 0755);
        ::chmod(directory.c_str(), 0755);
    }
    [[nodiscard]] Catalog scan() const { return plugins::scan({{first, second}, {}}, context); }

    TempDir dir;
    fs::path first = dir.path() / "first";
    fs::path second = dir.path() / "second";
    TrustContext context{::geteuid(), {}, {}};
};

TEST_F(CatalogTest, DirectoriesThatAreMissingAreEmpty) {
    const Catalog catalog = scan();
    EXPECT_TRUE(catalog.plugins.empty());
    EXPECT_TRUE(catalog.ignored.empty());
}

TEST_F(CatalogTest, ListsWhatTheManifestSays) {
    add(first, "b", manifest_text("b", R"(,"summary":"Second")"));
    add(first, "a", manifest_text("a"));
    const Catalog catalog = scan();
    ASSERT_EQ(catalog.plugins.size(), 2U);
    EXPECT_EQ(catalog.plugins[0].id, "a");
    const PluginInfo& info = catalog.plugins[1];
    EXPECT_EQ(info.state, PluginState::ok) << info.reason;
    EXPECT_EQ(info.version, "1.2.3");
    EXPECT_EQ(info.summary, "Second");
    EXPECT_EQ(info.provides, std::vector<std::string>{"alca.presets/1"});
    EXPECT_EQ(info.library_path, first / "b.so");
    EXPECT_EQ(info.manifest_path, first / "b.alca.json");
}

TEST_F(CatalogTest, FirstDirectoryWinsAndTheOtherIsShadowed) {
    add(first, "a", manifest_text("a"));
    add(second, "a", manifest_text("a"));
    const Catalog catalog = scan();
    ASSERT_EQ(catalog.plugins.size(), 2U);
    EXPECT_EQ(catalog.find("a")->manifest_path, first / "a.alca.json");
    EXPECT_EQ(catalog.plugins[1].state, PluginState::shadowed);
    EXPECT_EQ(catalog.plugins[1].reason, (first / "a.alca.json").string() + " comes first");
    EXPECT_EQ(catalog.providers("alca.presets/1").size(), 1U);
}

TEST_F(CatalogTest, ABrokenPluginIsNotReplacedByALaterOne) {
    add(first, "a", "{");
    add(second, "a", manifest_text("a"));
    EXPECT_EQ(scan().find("a")->state, PluginState::broken);
    EXPECT_TRUE(scan().providers("alca.presets/1").empty());
}

TEST_F(CatalogTest, AWorldWritableLibraryIsNotTrusted) {
    add(first, "a", manifest_text("a"));
    ::chmod((first / "a.so").c_str(), 0777);
    const Catalog catalog = scan();
    EXPECT_EQ(catalog.find("a")->state, PluginState::not_trusted);
    EXPECT_THAT(catalog.find("a")->reason, HasSubstr("a.so is writable by everybody"));
}

TEST_F(CatalogTest, AWorldWritableManifestIsNotTrusted) {
    add(first, "a", manifest_text("a"));
    ::chmod((first / "a.alca.json").c_str(), 0666);
    EXPECT_EQ(scan().find("a")->state, PluginState::not_trusted);
}

TEST_F(CatalogTest, APluginInTheProjectIsNotTrusted) {
    add(first, "a", manifest_text("a"));
    context.project_root = dir.path();
    EXPECT_EQ(scan().find("a")->state, PluginState::not_trusted);
}

TEST_F(CatalogTest, AMissingLibraryIsBroken) {
    add(first, "a", manifest_text("a"));
    fs::remove(first / "a.so");
    EXPECT_EQ(scan().find("a")->state, PluginState::broken);
    EXPECT_THAT(scan().find("a")->reason, HasSubstr("a.so"));
}

TEST_F(CatalogTest, ATruncatedLibraryIsBroken) {
    add(first, "a", manifest_text("a"));
    const fs::path library = first / "a.so";
    // Down to sizes at which the dynamic linker would map it and die of SIGBUS.
    for (std::uintmax_t size = fs::file_size(library) / 2;; size /= 2) {
        fs::resize_file(library, size);
        EXPECT_EQ(scan().find("a")->state, PluginState::broken) << size;
        EXPECT_EQ(scan().find("a")->reason,
                  library.string() + " is truncated; install the plugin again");
        if (size == 0) break;
    }
}

TEST_F(CatalogTest, AFileThatIsNoLibraryIsBroken) {
    add(first, "a", manifest_text("a"));
    test::write(first / "a.so", std::string(4096, 'x'));
    EXPECT_THAT(scan().find("a")->reason, HasSubstr("is not a shared library"));
}

TEST_F(CatalogTest, ALibraryOfAnotherMachineIsBroken) {
    add(first, "a", manifest_text("a"));
    auto bytes = os::read_file(first / "a.so", std::size_t{1} << 20);
    ASSERT_TRUE(bytes);
    bytes->at(18) = 8;  // e_machine: MIPS
    test::write(first / "a.so", *bytes);
    EXPECT_THAT(scan().find("a")->reason, HasSubstr("is a library for another machine"));
}

TEST_F(CatalogTest, AnotherAbiIsToldApartFromABrokenPlugin) {
    add(first, "a", R"({"manifest":1,"id":"a","version":"7.0.0","abi":2})");
    const Catalog catalog = scan();
    EXPECT_EQ(catalog.find("a")->state, PluginState::wrong_abi);
    EXPECT_EQ(catalog.find("a")->version, "7.0.0");
    EXPECT_EQ(
        catalog.find("a")->reason,
        "made for plugin ABI 2, this alca has ABI 1; install a version of the plugin for ABI 1");
}

TEST_F(CatalogTest, AHugeManifestIsBroken) {
    add(first, "a", std::string(kMaxManifestBytes + 1, ' '));
    EXPECT_EQ(scan().find("a")->state, PluginState::broken);
}

TEST_F(CatalogTest, AFifoInPlaceOfAManifestDoesNotHang) {
    add(first, "b", manifest_text("b"));
    ASSERT_EQ(::mkfifo((first / "a.alca.json").c_str(), 0600), 0);
    EXPECT_EQ(scan().find("a")->state, PluginState::broken);
    EXPECT_EQ(scan().find("b")->state, PluginState::ok);
}

TEST_F(CatalogTest, OtherFilesAreNotLookedAt) {
    add(first, "a", manifest_text("a"));
    test::write(first / "README.md", "x");
    test::write(first / ".alca.json", "x");
    EXPECT_EQ(scan().plugins.size(), 1U);
}

TEST_F(CatalogTest, ADirectoryThatCannotBeReadIsNamed) {
    test::write(first, "a file");
    EXPECT_THAT(scan().ignored, ::testing::ElementsAre(HasSubstr(first.string() + ": ")));
}

}  // namespace
}  // namespace alca::plugins
