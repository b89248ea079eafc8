// An engine that dies or hangs in the middle of things: the real one behind a proxy that breaks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper_process.hpp"
#include "sandbox_fixture.hpp"

namespace alca::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class BrokenEngineTest : public SandboxTest {
  protected:
    // A runtime that talks to the engine through a proxy with these arguments.
    DockerRuntime& through(std::vector<std::string> arguments) {
        const std::string socket = (directory_ / "proxy.sock").string();
        std::filesystem::remove(socket);
        auto endpoint = engine_http::resolve_endpoint(Environment::of_process());
        EXPECT_TRUE(endpoint);
        arguments.insert(arguments.end(), {"--listen", socket, "--engine", endpoint->socket_path});
        proxy_.emplace("engine_proxy/engine_proxy.py", arguments);
        Environment environment = Environment::of_process();
        environment.docker_host = "unix://" + socket;
        engine_http::Timeouts timeouts;
        timeouts.answer = 3000ms;
        return broken_.emplace(environment, timeouts);
    }
    template <class T>
    static void expect_lost(const Result<T>& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Code::unavailable) << result.error().message;
        EXPECT_THAT(result.error().message, HasSubstr("proxy.sock (from DOCKER_HOST)"));
    }

    std::optional<HelperProcess> proxy_;
    std::optional<DockerRuntime> broken_;
};

TEST_F(BrokenEngineTest, AnOldApiIsNamed) {
    const auto probe = through({"--api", "1.38"}).probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->available);
    EXPECT_THAT(probe->reason, HasSubstr("API 1.38 at most, 1.41 is needed"));
}

TEST_F(BrokenEngineTest, AVirtualMachineIsRecognisedByItsKernel) {
    const auto probe = through({"--info", R"({"KernelVersion":"6.6.1-orbstack"})"}).probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_TRUE(probe->available) << probe->reason;
    EXPECT_FALSE(probe->shares_kernel);
}

TEST_F(BrokenEngineTest, DeathBeforeCreateLeavesNoContainer) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    expect_lost(through({"--die-at", "/containers/create"}).create(call_, spec_));
    EXPECT_EQ(status().state, SandboxState::absent);
}

TEST_F(BrokenEngineTest, DeathAfterCreateIsRepairedByCreatingAgain) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    expect_lost(through({"--die-at", "/containers/create", "--die-after-bytes", "20"})
                    .create(call_, spec_));
    EXPECT_EQ(status().state, SandboxState::created);
    const auto created = runtime_.create(call_, spec_);
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(status().container_id, created->container_id);
}

TEST_F(BrokenEngineTest, DeathInTheMiddleOfStartIsUnavailable) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    ASSERT_TRUE(runtime_.create(call_, spec_));
    expect_lost(through({"--die-at", "/start", "--die-after-bytes", "5"}).start(call_, ref_));
    EXPECT_TRUE(runtime_.start(call_, ref_));
}

TEST_F(BrokenEngineTest, AnEngineThatHangsTimesOut) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    const auto created = through({"--hang-at", "/containers/create"}).create(call_, spec_);
    expect_lost(created);
    EXPECT_THAT(created.error().message, HasSubstr("no answer within 3 s"));
}

TEST_F(BrokenEngineTest, DeathInTheMiddleOfACommandIsNotAnExitCode) {
    start();
    Pipe out;
    std::jthread reader([&] { static_cast<void>(read_all(out.read.get())); });
    const auto code =
        through({"--die-at", "/exec/.*/start", "--die-after-bytes", "100000", "--gone"})
            .exec(call_, request({"/bin/yes"}), {-1, out.write.get(), -1, false, -1});
    out.write = Fd();
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::unavailable) << code.error().message;
}

TEST_F(BrokenEngineTest, CommandsWorkThroughAProxy) {
    start();
    Pipe in;
    Pipe out;
    ASSERT_EQ(::write(in.write.get(), "echoed", 6), 6);
    in.write = Fd();
    const auto code = through({}).exec(call_, request({"/bin/sh", "-c", "cat; exit 4"}),
                                       {in.read.get(), out.write.get(), -1, false, -1});
    out.write = Fd();
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 4);
    EXPECT_EQ(read_all(out.read.get()), "echoed");
}

}  // namespace
}  // namespace alca::test
