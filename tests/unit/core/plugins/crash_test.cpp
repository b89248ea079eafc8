// Plugins that take the process with them: the last words name them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "alca/presets.hpp"
#include "core/os/crash.hpp"
#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using ::testing::KilledBySignal;

class PluginCrashTest : public ::testing::Test {
  protected:
    // Runs in the death test's child.
    void list(const std::string& id, std::string_view settings) {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        const os::TerminalState terminal;
        const os::CrashHandler handler(breadcrumb, terminal);
        Loader loader(dir.scan(), breadcrumb);
        auto presets = loader.presets(call, id, settings);
        if (presets) static_cast<void>((*presets)->list(call));
    }

    test::PluginDir dir;
    os::Breadcrumb breadcrumb;
    test::RecordingCall call;
};

TEST_F(PluginCrashTest, ASegmentationFaultNamesThePlugin) {
    dir.add("misbehaves");
    EXPECT_EXIT(list("misbehaves", R"({"mode":"crash"})"), KilledBySignal(SIGSEGV),
                "alca: crashed inside plugin misbehaves \\(SIGSEGV\\); run the command again");
}

TEST_F(PluginCrashTest, AnAbortNamesThePlugin) {
    dir.add("misbehaves");
    EXPECT_EXIT(list("misbehaves", R"({"mode":"abort"})"), KilledBySignal(SIGABRT),
                "alca: crashed inside plugin misbehaves \\(SIGABRT\\)");
}

TEST_F(PluginCrashTest, ACrashWhileLoadingNamesThePlugin) {
    dir.add("crashes-at-load");
    EXPECT_EXIT(list("crashes-at-load", ""), KilledBySignal(SIGSEGV),
                "alca: crashed inside plugin crashes-at-load");
}

TEST_F(PluginCrashTest, AnExceptionThatARawPluginLetsOutNamesIt) {
    dir.add("throws-raw");
    EXPECT_EXIT(list("throws-raw", ""), KilledBySignal(SIGABRT),
                "alca: crashed inside plugin throws-raw");
}

}  // namespace
}  // namespace alca::plugins
