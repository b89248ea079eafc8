// Old plugins in today's host, and plugins newer than it.
#include <gmock/gmock.h>

#include <cstring>

#include "alca/presets.hpp"
#include "core/plugins/presets_proxy.hpp"
#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using ::testing::HasSubstr;

TEST(GrowthTest, APluginBuiltWithTheFrozenHeadersWorks) {
    const Catalog catalog = scan({{ALCA_FROZEN_PLUGIN_DIR}, {}}, {::geteuid(), {}, {}});
    os::Breadcrumb breadcrumb;
    Loader loader(catalog, breadcrumb);
    const test::RecordingCall call;
    auto presets = loader.presets(call, "frozen-1-0", R"({"mode":"ok"})");
    ASSERT_TRUE(presets) << presets.error().message;
    const auto list = (*presets)->list(call);
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(list->size(), 1U);
}

alca_status list_none(void*, const alca_call* call, alca_str) {
    static constexpr std::string_view kReply = R"({"presets":[]})";
    call->reply(call, {kReply.data(), kReply.size()});
    return ALCA_OK;
}
alca_status must_not_be_called(void*, const alca_call*, alca_str) { return ALCA_OK; }
alca_status create(const alca_call*, alca_str, void** self) {
    *self = nullptr;
    return ALCA_OK;
}
void destroy(void*) {}
const void* query(const char*) { return nullptr; }

class TableTest : public ::testing::Test {
  protected:
    [[nodiscard]] PresetsProxy proxy(const alca_presets_1& table) {
        return {std::move(*Instance::make(library, breadcrumb, call, "")), table};
    }

    static constexpr const char* kProvides[] = {ALCA_PRESETS_1, nullptr};
    alca_plugin descriptor{sizeof(alca_plugin), ALCA_ABI_MINOR, "p",    "1.0.0",
                           kProvides,           query,          create, destroy};
    Library library{"p", &descriptor};
    os::Breadcrumb breadcrumb;
    test::RecordingCall call;
};

TEST_F(TableTest, ASlotPastTheTablesSizeIsNotRead) {
    // The table of a plugin from before `render`: what lies behind it is not a slot.
    const alca_presets_1 old{offsetof(alca_presets_1, render), list_none, must_not_be_called};
    PresetsProxy presets = proxy(old);
    EXPECT_TRUE(presets.list(call));
    const auto render = presets.render(call, {});
    ASSERT_FALSE(render);
    EXPECT_EQ(render.error().code, Code::unsupported);
}

TEST_F(TableTest, ATableLargerThanTodaysIsServed) {
    struct {
        alca_presets_1 known;
        alca_method later[4];
    } const table{{sizeof table, list_none, nullptr}, {}};
    PresetsProxy presets = proxy(table.known);
    EXPECT_TRUE(presets.list(call));
}

}  // namespace
}  // namespace alca::plugins
