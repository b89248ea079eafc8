#include "plugins/shared/engine_http/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plugins/shared/engine_http/digest.hpp"

namespace alca::engine_http {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A docker configuration directory.
class EndpointTest : public ::testing::Test {
  protected:
    EndpointTest() {
        std::string pattern = ::testing::TempDir() + "alca-endpoint-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        environment_.docker_config = directory_.string();
    }
    ~EndpointTest() override { fs::remove_all(directory_); }

    void write(const fs::path& file, const std::string& text) const {
        fs::create_directories((directory_ / file).parent_path());
        std::ofstream(directory_ / file) << text;
    }
    void write_context(const std::string& name, const std::string& meta) const {
        write(fs::path("contexts/meta") / sha256_hex(name) / "meta.json", meta);
    }
    void write_context_at(const std::string& name, const std::string& host) const {
        write_context(name, R"({"Endpoints":{"docker":{"Host":")" + host + R"("}}})");
    }
    void expect(const std::string& url, const std::string& origin) const {
        const auto endpoint = resolve_endpoint(environment_);
        ASSERT_TRUE(endpoint) << endpoint.error().message;
        EXPECT_EQ(endpoint->url, url);
        EXPECT_EQ(endpoint->origin, origin);
    }
    void expect_error(Code code, const std::string& part) const {
        const auto endpoint = resolve_endpoint(environment_);
        ASSERT_FALSE(endpoint);
        EXPECT_EQ(endpoint.error().code, code);
        EXPECT_THAT(endpoint.error().message, HasSubstr(part));
    }

    fs::path directory_;
    Environment environment_;
};

TEST_F(EndpointTest, DefaultIsTheSystemSocket) { expect("unix:///var/run/docker.sock", "default"); }

TEST_F(EndpointTest, WithoutAHomeItIsTheSystemSocket) {
    environment_ = {};
    expect("unix:///var/run/docker.sock", "default");
}

TEST_F(EndpointTest, DockerHostBeatsDockerContext) {
    write_context_at("work", "unix:///work.sock");
    environment_.docker_host = "unix:///host.sock";
    environment_.docker_context = "work";
    expect("unix:///host.sock", "DOCKER_HOST");
}

TEST_F(EndpointTest, DockerContextBeatsTheCurrentContext) {
    write_context_at("work", "unix:///work.sock");
    write_context_at("play", "unix:///play.sock");
    write("config.json", R"({"currentContext":"play"})");
    environment_.docker_context = "work";
    expect("unix:///work.sock", "context work");
}

TEST_F(EndpointTest, TheCurrentContextBeatsTheDefault) {
    write_context_at("play", "unix:///play.sock");
    write("config.json", R"({"auths":{},"currentContext":"play"})");
    expect("unix:///play.sock", "context play");
}

TEST_F(EndpointTest, ConfigurationIsFoundUnderHome) {
    fs::create_directories(directory_ / ".docker");
    write(".docker/config.json", R"({"currentContext":"gone"})");
    environment_ = {};
    environment_.home = directory_.string();
    expect_error(Code::not_found, "'gone'");
}

TEST_F(EndpointTest, TheContextDefaultNeedsNoFile) {
    environment_.docker_context = "default";
    expect("unix:///var/run/docker.sock", "default");
}

TEST_F(EndpointTest, AContextThatIsNotThereIsAnError) {
    environment_.docker_context = "../../etc";
    expect_error(Code::not_found, "there is no docker context '../../etc'");
}

TEST_F(EndpointTest, AnAddressWithoutSchemeAsksForUnix) {
    environment_.docker_host = "/run/my.sock";
    expect_error(Code::invalid, "write unix:///run/my.sock");
    environment_.docker_host = "localhost:2375";
    expect_error(Code::invalid, "write unix:///PATH/TO/docker.sock");
}

TEST_F(EndpointTest, ARelativeSocketIsInvalid) {
    environment_.docker_host = "unix://docker.sock";
    expect_error(Code::invalid, "must be absolute");
}

TEST_F(EndpointTest, RemoteEnginesAreRefusedByNameAndOrigin) {
    for (const char* url : {"tcp://10.0.0.1:2376", "ssh://me@host", "http://localhost:2375"}) {
        environment_.docker_host = url;
        expect_error(Code::unsupported, std::string(url) + " (from DOCKER_HOST)");
    }
    environment_.docker_host.clear();
    environment_.docker_context = "far";
    write_context_at("far", "ssh://me@host");
    expect_error(Code::unsupported, "ssh://me@host (from context far)");
}

TEST_F(EndpointTest, BrokenFilesAreNamed) {
    write("config.json", "{");
    expect_error(Code::invalid, "config.json: not valid JSON");
    write("config.json", R"({"currentContext":7})");
    expect_error(Code::invalid, "config.json: config.currentContext must be a string");
    environment_.docker_context = "work";
    write_context("work", "[]");
    expect_error(Code::invalid, "meta.json: expected a JSON object");
    for (const char* meta :
         {"{}", R"({"Endpoints":[]})", R"({"Endpoints":{"docker":{"Host":""}}})"}) {
        write_context("work", meta);
        expect_error(Code::invalid, "names no docker host");
    }
}

TEST_F(EndpointTest, ADirectoryInPlaceOfAFileIsAnError) {
    fs::create_directories(directory_ / "config.json");
    expect_error(Code::invalid, "not a regular file");
}

}  // namespace
}  // namespace alca::engine_http
