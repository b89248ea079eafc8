// A sandbox of its own on the real engine for each test, removed afterwards.
#ifndef ALCA_TESTS_ENGINE_DOCKER_SANDBOX_FIXTURE_HPP
#define ALCA_TESTS_ENGINE_DOCKER_SANDBOX_FIXTURE_HPP

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "plugins/runtime-docker/docker_runtime.hpp"
#include "plugins/shared/engine_http/digest.hpp"
#include "unit/plugins/runtime-docker/fake_call.hpp"

namespace alca::test {

using docker::DockerRuntime;
using engine_http::Environment;
using engine_http::Fd;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        read = Fd(ends[0]);
        write = Fd(ends[1]);
    }
    Fd read, write;
};

inline std::string read_all(int fd) {
    std::string text;
    std::array<char, 65536> chunk{};
    ssize_t count = 0;
    while ((count = ::read(fd, chunk.data(), chunk.size())) > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return text;
}

struct Output {
    int code = -1;
    std::string out, err;
};

class SandboxTest : public ::testing::Test {
  protected:
    static constexpr const char* kImageName = "alca-test-busybox";

    void SetUp() override {
        const auto probe = runtime_.probe(call_);
        ASSERT_TRUE(probe) << probe.error().message;
        if (!probe->available) GTEST_SKIP() << "no engine: " << probe->reason;
        std::string pattern = ::testing::TempDir() + "alca-docker-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        spec_ = make_spec(::testing::UnitTest::GetInstance()->current_test_info()->name());
        ref_ = ref_of(spec_);
    }
    void TearDown() override {
        for (const SandboxRef& ref : made_) {
            const FakeCall call;
            const auto removed = runtime_.remove(call, ref, false);
            EXPECT_TRUE(removed) << removed.error().message;
        }
        if (!directory_.empty()) std::filesystem::remove_all(directory_);
    }

    // A specification whose names are of this process and test alone; removed at the end.
    SandboxSpec make_spec(const std::string& seed) {
        const std::string digest = engine_http::sha256_hex(fmt::format("{}-{}", ::getpid(), seed));
        SandboxSpec spec;
        spec.id = "docker-test-" + digest.substr(0, 12);
        spec.name = spec.id;
        spec.project_path = directory_.string();
        spec.image = kImageName;
        spec.init = {"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"};
        spec.user = "0:0";
        spec.workdir = "/";
        spec.hostname = "sandbox";
        spec.labels = {{"alca.project.id", spec.id}};
        spec.pids_limit = 64;
        spec.network = {spec.id, "alcat" + digest.substr(0, 8), false};
        made_.push_back(ref_of(spec));
        return spec;
    }
    static SandboxRef ref_of(const SandboxSpec& spec) {
        SandboxRef ref;
        ref.id = spec.id;
        ref.name = spec.name;
        ref.network_name = spec.network.name;
        return ref;
    }

    // prepare, create and start, each of which must succeed.
    void start() {
        const auto prepared = runtime_.prepare(call_, spec_);
        ASSERT_TRUE(prepared) << prepared.error().message;
        const auto created = runtime_.create(call_, spec_);
        ASSERT_TRUE(created) << created.error().message;
        ref_.container_id = created->container_id;
        const auto started = runtime_.start(call_, ref_);
        ASSERT_TRUE(started) << started.error().message;
    }

    [[nodiscard]] ExecRequest request(std::vector<std::string> argv) const {
        ExecRequest request;
        request.sandbox = ref_;
        request.argv = std::move(argv);
        return request;
    }
    // Runs a shell script inside, without input.
    Output run(const std::string& script) { return run(request({"/bin/sh", "-c", script})); }
    Output run(const ExecRequest& request) {
        Pipe in;
        Pipe out;
        Pipe err;
        in.write = Fd();
        Output output;
        std::jthread out_reader([&] { output.out = read_all(out.read.get()); });
        std::jthread err_reader([&] { output.err = read_all(err.read.get()); });
        const auto code = runtime_.exec(
            call_, request, {in.read.get(), out.write.get(), err.write.get(), false, -1});
        out.write = Fd();
        err.write = Fd();
        out_reader.join();
        err_reader.join();
        EXPECT_TRUE(code) << code.error().message;
        output.code = code.value_or(-1);
        return output;
    }
    SandboxStatus status() {
        const auto status = runtime_.status(call_, ref_);
        EXPECT_TRUE(status) << status.error().message;
        return status.value_or(SandboxStatus{});
    }

    FakeCall call_;
    DockerRuntime runtime_{Environment::of_process()};
    std::filesystem::path directory_;
    SandboxSpec spec_;
    SandboxRef ref_;
    std::vector<SandboxRef> made_;
};

}  // namespace alca::test

#endif
