#include "core/plugins/loader.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "alca/firewall.hpp"
#include "alca/presets.hpp"
#include "alca/runtime.hpp"
#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using test::PluginDir;
using ::testing::HasSubstr;

class LoaderTest : public ::testing::Test {
  protected:
    // The error of loading `id` as a presets plugin, "" when it loads.
    [[nodiscard]] Error error_of(std::string_view id, std::string_view settings = {}) {
        Loader loader(dir.scan(), breadcrumb);
        const auto presets = loader.presets(call, id, settings);
        return presets ? Error{Code::failed, ""} : presets.error();
    }
    [[nodiscard]] Error error_of_added(const std::string& id) {
        dir.add(id);
        return error_of(id);
    }

    PluginDir dir;
    os::Breadcrumb breadcrumb;
    test::RecordingCall call;
};

TEST_F(LoaderTest, LoadsAPluginWrittenInC) {
    dir.add("misbehaves");
    Loader loader(dir.scan(), breadcrumb);
    auto presets = loader.presets(call, "misbehaves", R"({"mode":"ok"})");
    ASSERT_TRUE(presets) << presets.error().message;
    const auto list = (*presets)->list(call);
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_EQ(list->size(), 1U);
    EXPECT_EQ(list->front().name, "one");
    EXPECT_EQ(breadcrumb.plugin(), nullptr);
}

TEST_F(LoaderTest, ShortNameMeansThePluginWithTheInterfacesPrefix) {
    fs::rename(dir.add("misbehaves"), dir.path() / "presets-x.so");
    test::write(dir.path() / "presets-x.alca.json", test::manifest_text("presets-x"));
    // It is chosen, and then refused because its library still has the other id.
    EXPECT_THAT(error_of("x").message, HasSubstr("plugin presets-x: its manifest says id"));
}

TEST_F(LoaderTest, AnUnknownNameListsWhatThereIs) {
    dir.add("misbehaves");
    const Error error = error_of("nonsense");
    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_EQ(error.message,
              "no presets plugin \"nonsense\"; there are: misbehaves; see alca plugins list");
}

TEST_F(LoaderTest, APluginOfAnotherInterfaceIsRefused) {
    dir.add("misbehaves");
    Loader loader(dir.scan(), breadcrumb);
    const auto runtime = loader.runtime(call, "misbehaves");
    ASSERT_FALSE(runtime);
    EXPECT_EQ(runtime.error().code, Code::invalid);
    EXPECT_EQ(runtime.error().message,
              "plugin misbehaves does not provide alca.runtime/1; those that do: none");
    EXPECT_FALSE(loader.firewall(call, "misbehaves"));
}

TEST_F(LoaderTest, AnUntrustedPluginIsNotLoaded) {
    ::chmod(dir.add("crashes-at-load").c_str(), 0777);
    const Error error = error_of("crashes-at-load");
    EXPECT_EQ(error.code, Code::denied);
    EXPECT_THAT(error.message, HasSubstr("plugin crashes-at-load is not trusted: "));
}

TEST_F(LoaderTest, ATruncatedLibraryIsAnErrorAndNoCrash) {
    const fs::path library = dir.add("misbehaves");
    fs::resize_file(library, fs::file_size(library) / 2);
    const Error error = error_of("misbehaves");
    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_EQ(error.message, "plugin misbehaves is broken: " + library.string() +
                                 " is truncated; install the plugin again");
}

TEST_F(LoaderTest, AMissingSymbolIsFoundAtLoad) {
    EXPECT_THAT(error_of_added("missing-symbol").message, HasSubstr("not_there_at_all"));
}

TEST_F(LoaderTest, ALibraryWithoutTheEntryIsRefused) {
    const Error error = error_of_added("no-entry");
    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_THAT(error.message, HasSubstr("exports no alca_plugin_v1"));
}

TEST_F(LoaderTest, ManifestAndDescriptorMustAgree) {
    EXPECT_EQ(error_of_added("wrong-id").message,
              "plugin wrong-id: its manifest says id \"wrong-id\", its library says \"other\"; "
              "install both from the same build");
    EXPECT_THAT(error_of_added("wrong-version").message,
                HasSubstr("manifest says version \"1.0.0\", its library says \"9.9.9\""));
    EXPECT_THAT(
        error_of_added("wrong-provides").message,
        HasSubstr("says provides \"alca.presets/1\", its library says \"alca.firewall/1\""));
}

TEST_F(LoaderTest, MalformedDescriptorsAreRefused) {
    EXPECT_THAT(error_of_added("null-descriptor").message, HasSubstr("has no descriptor"));
    EXPECT_THAT(error_of_added("small-descriptor").message, HasSubstr("descriptor too small"));
    EXPECT_THAT(error_of_added("no-create").message, HasSubstr("empty members"));
    EXPECT_THAT(error_of_added("no-table").message,
                HasSubstr("names alca.presets/1 but does not answer for it"));
    EXPECT_EQ(error_of("no-table").code, Code::invalid);
}

TEST_F(LoaderTest, SettingsReachThePluginAndItsRefusalReachesTheUser) {
    dir.add("misbehaves");
    const Error error = error_of("misbehaves", R"({"other":1})");
    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_EQ(error.message, "no mode");
}

TEST_F(LoaderTest, ExceptionsOfThePluginBecomeErrors) {
    dir.add("throws");
    EXPECT_EQ(error_of("throws", R"({"make":1})").message, "thrown by make");
    Loader loader(dir.scan(), breadcrumb);
    auto presets = loader.presets(call, "throws");
    ASSERT_TRUE(presets) << presets.error().message;
    EXPECT_EQ((*presets)->list(call).error().message, "thrown by list");
    EXPECT_EQ((*presets)->render(call, {}).error().message,
              "the plugin threw something that is no std::exception");
}

TEST_F(LoaderTest, OneLibraryGivesManyInstances) {
    dir.add("throws");
    Loader loader(dir.scan(), breadcrumb);
    auto one = loader.presets(call, "throws");
    auto two = loader.presets(call, "throws");
    ASSERT_TRUE(one && two);
    one->reset();
    EXPECT_EQ((*two)->list(call).error().message, "thrown by list");
}

}  // namespace
}  // namespace alca::plugins
