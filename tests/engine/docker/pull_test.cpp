// Pulling from a registry on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper_process.hpp"
#include "plugins/shared/engine_http/engine.hpp"
#include "sandbox_fixture.hpp"

namespace alca::test {
namespace {

using namespace std::chrono_literals;
using engine_http::Engine;
using engine_http::resolve_endpoint;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PullTest : public SandboxTest {
  protected:
    void TearDown() override {
        SandboxTest::TearDown();
        if (!spec_.image.starts_with("127.")) return;
        auto endpoint = resolve_endpoint(Environment::of_process());
        ASSERT_TRUE(endpoint);
        const FakeCall call;
        static_cast<void>(Engine(*endpoint).remove(call, "/images/" + spec_.image + "?force=true"));
    }
    // A registry that has the test image with a layer that no engine has yet.
    void serve(std::vector<std::string> arguments) {
        const std::vector<std::string> always{"--image", kImageName, "--salt", spec_.id};
        arguments.insert(arguments.end(), always.begin(), always.end());
        registry_.emplace("registry/registry.py", arguments);
        spec_.image = registry_->address() + "/" + kImageName;
    }

    std::optional<HelperProcess> registry_;
};

TEST_F(PullTest, AnAbsentImageIsPulledWithByteProgress) {
    serve({"--rate", "1000000"});
    const auto prepared = runtime_.prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_TRUE(prepared->image.pulled);
    EXPECT_THAT(prepared->image.id, HasSubstr("sha256:"));
    ASSERT_THAT(call_.steps, Not(IsEmpty()));
    std::uint64_t before = 0;
    bool has_middle = false;
    for (const Progress& step : call_.steps) {
        EXPECT_EQ(step.step, "pulling " + spec_.image);
        EXPECT_EQ(step.unit, "bytes");
        EXPECT_GE(step.done, before);
        EXPECT_LE(step.done, step.total);
        before = step.done;
        has_middle = has_middle || (step.done > 0 && step.done < step.total);
    }
    EXPECT_TRUE(has_middle);
    EXPECT_TRUE(call_.steps.back().finished);
    EXPECT_GT(call_.steps.back().total, 500'000U);

    const auto again = runtime_.prepare(call_, spec_);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->image.pulled);
}

TEST_F(PullTest, AnImageThatTheRegistryDoesNotHaveIsNamed) {
    serve({});
    spec_.image += "-other";
    const auto prepared = runtime_.prepare(call_, spec_);
    ASSERT_FALSE(prepared);
    EXPECT_THAT(prepared.error().message, HasSubstr("cannot pull image " + spec_.image));
    EXPECT_FALSE(std::filesystem::exists("/sys/class/net/" + spec_.network.interface));
}

TEST_F(PullTest, CancelEndsASlowPullAtOnce) {
    serve({"--rate", "20000"});
    const auto canceller = call_.cancel_after(500ms);
    const auto start = std::chrono::steady_clock::now();
    const auto prepared = runtime_.prepare(call_, spec_);
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, Code::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1000ms);
}

}  // namespace
}  // namespace alca::test
