#include "core/plugins/manifest.hpp"

#include <gtest/gtest.h>

#include "alca/json.hpp"

namespace alca::plugins {
namespace {

Json valid() {
    return {{"manifest", 1},
            {"id", "runtime-x"},
            {"version", "0.3.0"},
            {"abi", 1},
            {"library", "runtime-x.so"},
            {"provides", {"alca.runtime/1", "org.example.gpu/2"}},
            {"summary", "An engine"}};
}

std::string error_of(const Json& json) {
    const auto manifest = parse_manifest(dump(json), "runtime-x");
    return manifest ? "" : manifest.error().message;
}

std::string error_with(const char* member, const Json& value) {
    Json json = valid();
    json[member] = value;
    return error_of(json);
}

TEST(ManifestTest, ReadsEveryMember) {
    const auto manifest = parse_manifest(dump(valid()), "runtime-x");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->id, "runtime-x");
    EXPECT_EQ(manifest->version, "0.3.0");
    EXPECT_EQ(manifest->abi, 1);
    EXPECT_EQ(manifest->library, "runtime-x.so");
    EXPECT_EQ(manifest->provides,
              (std::vector<std::string>{"alca.runtime/1", "org.example.gpu/2"}));
    EXPECT_EQ(manifest->summary, "An engine");
}

TEST(ManifestTest, IgnoresUnknownMembers) { EXPECT_EQ(error_with("later", Json::array()), ""); }

TEST(ManifestTest, SummaryMayBeMissing) {
    Json json = valid();
    json.erase("summary");
    EXPECT_EQ(error_of(json), "");
}

TEST(ManifestTest, EveryOtherMemberIsRequired) {
    for (const char* member : {"manifest", "id", "version", "abi", "library", "provides"}) {
        Json json = valid();
        json.erase(member);
        EXPECT_EQ(error_of(json), std::string("manifest.") + member + " is missing");
    }
}

TEST(ManifestTest, RefusesTextThatIsNoObject) {
    for (const char* text : {"", "{", "[]", "\"x\"", "{\"id\":\"\xff\"}"}) {
        EXPECT_FALSE(parse_manifest(text, "runtime-x")) << text;
    }
}

TEST(ManifestTest, RefusesMoreThan64KiB) {
    Json json = valid();
    json["filler"] = std::string(kMaxManifestBytes, 'x');
    EXPECT_EQ(error_of(json), "larger than 65536 bytes");
}

TEST(ManifestTest, RefusesAnotherFormat) {
    EXPECT_EQ(error_with("manifest", 2),
              "manifest format 2 is not known; this alca reads format 1");
}

TEST(ManifestTest, RefusesAnIdThatIsNotTheFilesName) {
    EXPECT_EQ(error_with("id", "other"),
              "id is \"other\" but the file is named runtime-x.alca.json");
}

TEST(ManifestTest, AnotherAbiIsReadAsFarAsItsVersion) {
    const auto manifest =
        parse_manifest(R"({"manifest":1,"id":"x","version":"2.0.0","abi":2,"library":[]})", "x");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->abi, 2);
    EXPECT_EQ(manifest->version, "2.0.0");
}

TEST(ManifestTest, LibraryCannotLeaveTheDirectory) {
    for (const char* library : {"../x.so", "/x.so", "a/b.so", "..", ".x.so", "", "a b", "x\n"}) {
        EXPECT_EQ(error_with("library", library),
                  "library must be the bare name of a file beside the manifest")
            << library;
    }
}

TEST(ManifestTest, RefusesVersionsThatAreNotSemVer) {
    for (const char* version : {"1", "1.2", "1.2.3.4", "a.b.c", "1..2", "", "1.2.3 x", ".1.2"}) {
        EXPECT_EQ(error_with("version", version), "version is not SemVer, such as 0.3.0")
            << version;
    }
    EXPECT_EQ(error_with("version", "1.2.3-rc.1+build-5"), "");
}

TEST(ManifestTest, RefusesMalformedInterfaces) {
    for (const char* interface : {"runtime/1", "alca.runtime", "alca.runtime/", "alca.runtime/x",
                                  "Alca.runtime/1", ".alca/1", "alca.runtime/1\n"}) {
        EXPECT_NE(error_with("provides", Json::array({interface})), "") << interface;
    }
    EXPECT_EQ(error_with("provides", Json::array()), "provides is empty");
    EXPECT_EQ(error_with("provides", Json::array({"a.b/1", "a.b/1"})),
              "provides names a.b/1 twice");
}

TEST(ManifestTest, RefusesASummaryThatCouldDriveTheTerminal) {
    EXPECT_NE(error_with("summary", "\x1b[31m"), "");
    EXPECT_NE(error_with("summary", std::string(257, 'x')), "");
}

}  // namespace
}  // namespace alca::plugins
