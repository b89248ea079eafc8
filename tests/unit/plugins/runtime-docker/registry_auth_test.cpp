#include "plugins/shared/engine_http/registry_auth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "alca/json.hpp"
#include "fake_call.hpp"
#include "plugins/shared/engine_http/base64.hpp"

namespace alca::engine_http {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Base64Test, KnownValuesGoBothWays) {
    const std::pair<const char*, const char*> table[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    for (const auto& [plain, encoded] : table) {
        EXPECT_EQ(base64url_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded), plain);
    }
    EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8=");
    EXPECT_EQ(base64_decode("+/8"), "\xfb\xff");
    for (const char* wrong : {"A", "A=", "Zm9v!", "Zm 9v", "-_8="}) {
        EXPECT_FALSE(base64_decode(wrong)) << wrong;
    }
}

TEST(RegistryTest, IsTakenFromTheImageName) {
    EXPECT_EQ(registry_of("debian:12"), "https://index.docker.io/v1/");
    EXPECT_EQ(registry_of("library/debian"), "https://index.docker.io/v1/");
    EXPECT_EQ(registry_of("docker.io/library/debian"), "https://index.docker.io/v1/");
    EXPECT_EQ(registry_of("ghcr.io/a/b"), "ghcr.io");
    EXPECT_EQ(registry_of("127.0.0.1:5000/a"), "127.0.0.1:5000");
    EXPECT_EQ(registry_of("localhost/a"), "localhost");
}

class RegistryAuthTest : public ::testing::Test {
  protected:
    RegistryAuthTest() {
        std::string pattern = ::testing::TempDir() + "alca-auth-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        environment_.docker_config = directory_.string();
        path_ = std::getenv("PATH");
        ::setenv("PATH", (directory_.string() + ":" + path_).c_str(), 1);
    }
    ~RegistryAuthTest() override {
        ::setenv("PATH", path_.c_str(), 1);
        fs::remove_all(directory_);
    }
    void config(const std::string& text) const {
        std::ofstream(directory_ / "config.json") << text;
    }
    void helper(const std::string& name, const std::string& script) const {
        const fs::path file = directory_ / ("docker-credential-" + name);
        std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
        fs::permissions(file, fs::perms::owner_all);
    }
    // The decoded header; null when there is none.
    Json auth(const std::string& registry) {
        const auto header = registry_auth(call_, registry, environment_);
        if (!header) {
            ADD_FAILURE() << header.error().message;
            return nullptr;
        }
        if (header->empty()) return nullptr;
        std::string standard = *header;
        std::replace(standard.begin(), standard.end(), '-', '+');
        std::replace(standard.begin(), standard.end(), '_', '/');
        return Json::parse(base64_decode(standard).value_or("null"));
    }

    test::FakeCall call_;
    fs::path directory_;
    std::string path_;
    Environment environment_;
};

TEST_F(RegistryAuthTest, WithoutConfigurationThereAreNoCredentials) {
    EXPECT_TRUE(auth("ghcr.io").is_null());
    environment_ = {};
    EXPECT_TRUE(auth("ghcr.io").is_null());
}

TEST_F(RegistryAuthTest, AuthsAreFoundByRegistry) {
    config(R"({"auths":{"other":{"auth":"eDp5"},"https://ghcr.io/v1/":{"auth":"bWU6c2Vj OnJldA=="},
               "quay.io":{"auth":"bWU6czpl"},"az.io":{"identitytoken":"tok"},"empty.io":{}}})");
    const Json quay = auth("quay.io");
    EXPECT_EQ(quay["username"], "me");
    EXPECT_EQ(quay["password"], "s:e");
    EXPECT_EQ(quay["serveraddress"], "quay.io");
    EXPECT_EQ(auth("az.io")["identitytoken"], "tok");
    EXPECT_TRUE(auth("ghcr.io").is_null());  // not base64
    EXPECT_TRUE(auth("empty.io").is_null());
    EXPECT_TRUE(auth("unknown.io").is_null());
}

TEST_F(RegistryAuthTest, AHelperIsAskedForItsRegistryOnly) {
    config(R"({"credHelpers":{"ghcr.io":"alcatest"},"auths":{"quay.io":{"auth":"eDp5"}}})");
    helper("alcatest", R"(read -r server; printf '{"Username":"u","Secret":"for %s"}' "$server")");
    EXPECT_EQ(auth("ghcr.io")["password"], "for ghcr.io");
    EXPECT_EQ(auth("quay.io")["username"], "x");
}

TEST_F(RegistryAuthTest, AStoreIsAskedForAllOthers) {
    config(R"({"credsStore":"alcastore"})");
    helper("alcastore", R"(printf '{"Username":"<token>","Secret":"t"}')");
    EXPECT_EQ(auth("ghcr.io")["identitytoken"], "t");
}

TEST_F(RegistryAuthTest, WhatAHelperDoesNotKnowIsNoCredentials) {
    config(R"({"credsStore":"alcastore"})");
    helper("alcastore", "echo credentials not found; exit 1");
    EXPECT_TRUE(auth("ghcr.io").is_null());
}

TEST_F(RegistryAuthTest, AHelperThatCannotBeUsedIsNamed) {
    const auto message = [this] {
        const auto header = registry_auth(call_, "ghcr.io", environment_);
        return header ? std::string("no error") : header.error().message;
    };
    config(R"({"credsStore":"alca-missing"})");
    EXPECT_THAT(message(), HasSubstr("docker-credential-alca-missing"));
    config(R"({"credsStore":"../../bin/sh"})");
    EXPECT_THAT(message(), HasSubstr("no helper's name"));
    config(R"({"credsStore":"alcabad"})");
    helper("alcabad", "echo secret-words");
    EXPECT_THAT(message(), HasSubstr("docker-credential-alcabad does not print JSON"));
    EXPECT_THAT(message(), ::testing::Not(HasSubstr("secret-words")));
    config("{");
    EXPECT_THAT(message(), HasSubstr("config.json: not valid JSON"));
}

TEST_F(RegistryAuthTest, CancelEndsAHelperThatHangs) {
    config(R"({"credsStore":"alcahang"})");
    helper("alcahang", "exec sleep 1000");
    const auto canceller = call_.cancel_after(std::chrono::milliseconds(50));
    const auto header = registry_auth(call_, "ghcr.io", environment_);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, Code::cancelled);
}

}  // namespace
}  // namespace alca::engine_http
