// The C++ layer as a host in C sees it.
#include "alca/plugin.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace alca {
namespace {

class TestPresets final : public Presets {
  public:
    static Result<std::unique_ptr<TestPresets>> make(const Json& settings) {
        if (settings.contains("refuse")) return fail(Code::denied, "refused");
        if (settings.contains("throw")) throw 42;
        return std::make_unique<TestPresets>();
    }
    Result<std::vector<PresetInfo>> list(const Call& call) override {
        call.log(LogLevel::warn, "a line");
        call.progress({.step = "step", .done = 1, .total = 2, .unit = "files", .finished = true});
        return std::vector<PresetInfo>{{"one", "", ""}};
    }
    Result<PresetFiles> render(const Call&, const PresetRequest& request) override {
        if (request.name == "throw") throw std::runtime_error("text of the exception");
        if (request.name == "odd") throw 42;
        if (request.name == "bytes") return PresetFiles{"\xff", {}, {}};
        return fail(Code::not_found, "no preset " + request.name);
    }
};

// A host in C: keeps what it is told.
class PluginTest : public ::testing::Test {
  protected:
    using Set = detail::PluginSet<TestPresets>;

    PluginTest() {
        call.size = sizeof call;
        call.host = this;
        call.cancel_fd = -1;
        call.reply = [](const alca_call* c, alca_str s) { of(c).reply = text(s); };
        call.fail = [](const alca_call* c, alca_str s) { of(c).message = text(s); };
        call.log = [](const alca_call* c, std::int32_t level, alca_str s) {
            of(c).log = std::to_string(level) + " " + text(s);
        };
        call.progress = [](const alca_call* c, alca_str s) { of(c).progress = text(s); };
    }
    void TearDown() override {
        if (self != nullptr) Set::destroy(self);
    }

    [[nodiscard]] static PluginTest& of(const alca_call* c) {
        return *static_cast<PluginTest*>(c->host);
    }
    [[nodiscard]] static std::string text(alca_str s) { return {s.data, s.len}; }
    [[nodiscard]] alca_status create(std::string_view settings) {
        return Set::create(&call, detail::to_abi(settings), &self);
    }
    [[nodiscard]] alca_status list() { return table->list(self, &call, detail::to_abi("{}")); }
    [[nodiscard]] alca_status render(std::string_view request) {
        return table->render(self, &call, detail::to_abi(request));
    }

    alca_call call{};
    void* self = nullptr;
    const alca_presets_1* table = static_cast<const alca_presets_1*>(Set::query(ALCA_PRESETS_1));
    std::string reply, message, log, progress;
};

TEST_F(PluginTest, AnswersLogAndProgressReachTheHost) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    ASSERT_EQ(list(), ALCA_OK);
    EXPECT_EQ(reply, R"({"presets":[{"agent_version":"","name":"one","summary":""}]})");
    EXPECT_EQ(log, "2 a line");
    EXPECT_EQ(progress, R"({"done":1,"finished":true,"step":"step","total":2,"unit":"files"})");
}

TEST_F(PluginTest, EmptySettingsAreAnEmptyObject) { EXPECT_EQ(create(""), ALCA_OK); }

TEST_F(PluginTest, MalformedSettingsAreInvalid) {
    for (const char* settings : {"{", "[]", "7", "\xff"}) {
        EXPECT_EQ(create(settings), ALCA_INVALID);
        EXPECT_EQ(message.substr(0, 10), "settings: ") << message;
        EXPECT_EQ(self, nullptr);
    }
}

TEST_F(PluginTest, MakeMayRefuseOrThrow) {
    EXPECT_EQ(create(R"({"refuse":1})"), ALCA_DENIED);
    EXPECT_EQ(message, "refused");
    EXPECT_EQ(create(R"({"throw":1})"), ALCA_FAILED);
    EXPECT_EQ(self, nullptr);
}

TEST_F(PluginTest, MalformedRequestsAreInvalidWithAMessage) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    for (const char* request : {"", "{", "[]", "{}", R"({"name":7})", "{\"name\":\"\xff\"}"}) {
        message.clear();
        EXPECT_EQ(render(request), ALCA_INVALID) << request;
        EXPECT_EQ(message.substr(0, 7), "request") << message;
    }
}

TEST_F(PluginTest, ErrorsKeepCodeAndMessage) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    EXPECT_EQ(render(R"({"name":"x"})"), ALCA_NOT_FOUND);
    EXPECT_EQ(message, "no preset x");
    EXPECT_EQ(reply, "");
}

TEST_F(PluginTest, ExceptionsEndAtTheBoundary) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    EXPECT_EQ(render(R"({"name":"throw"})"), ALCA_FAILED);
    EXPECT_EQ(message, "text of the exception");
    EXPECT_EQ(render(R"({"name":"odd"})"), ALCA_FAILED);
    EXPECT_EQ(message, "the plugin threw something that is no std::exception");
}

TEST_F(PluginTest, BytesThatAreNotUtf8AreReplacedInAnswers) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    ASSERT_EQ(render(R"({"name":"bytes"})"), ALCA_OK);
    EXPECT_NE(reply.find("\xef\xbf\xbd"), std::string::npos) << reply;
}

TEST_F(PluginTest, AHostWithoutLogAndProgressIsServed) {
    ASSERT_EQ(create("{}"), ALCA_OK);
    call.log = nullptr;
    call.size = offsetof(alca_call, progress);  // an older host: has no such member
    EXPECT_EQ(list(), ALCA_OK);
    EXPECT_EQ(log + progress, "");
}

TEST(PluginSetTest, ProvidesMustMatchTheClassesExactly) {
    using Set = detail::PluginSet<TestPresets>;
    EXPECT_TRUE(Set::provides_is("alca.presets/1"));
    EXPECT_FALSE(Set::provides_is(""));
    EXPECT_FALSE(Set::provides_is("alca.presets/11"));
    EXPECT_FALSE(Set::provides_is("alca.presets/1 alca.runtime/1"));
    EXPECT_FALSE(Set::provides_is("alca.runtime/1"));
}

}  // namespace
}  // namespace alca
