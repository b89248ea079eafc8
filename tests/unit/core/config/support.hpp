// A project in a temporary directory, and configuration texts read as if they were its .alca.toml.
#ifndef ALCA_TESTS_UNIT_CORE_CONFIG_SUPPORT_HPP
#define ALCA_TESTS_UNIT_CORE_CONFIG_SUPPORT_HPP

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "core/config/load.hpp"

namespace alca::config {

class TempDir {
  public:
    TempDir() {
        std::string name = (fs::temp_directory_path() / "alca-config-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = fs::canonical(name);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

// project and home are empty directories beside each other.
class ConfigTest : public testing::Test {
  protected:
    ConfigTest() {
        fs::create_directories(project());
        fs::create_directories(home());
    }
    [[nodiscard]] fs::path project() const { return dir_.path() / "project"; }
    [[nodiscard]] fs::path home() const { return dir_.path() / "home"; }

    [[nodiscard]] Result<Config> parse(std::string_view text) const {
        return config::parse(text, ".alca.toml", {project(), home(), environment_});
    }
    // The same with an image, and the error as text.
    // Not nodiscard: that the text is accepted is often all that a test asks.
    Config good(const std::string& text) const {
        auto config = parse("image = \"i\"\n" + text);
        if (config) return *config;
        ADD_FAILURE() << config.error().message;
        return {};
    }
    // Line 2 of the file is the first of `text`.
    [[nodiscard]] std::string error(const std::string& text) const {
        auto config = parse("image = \"i\"\n" + text);
        if (!config) return config.error().message;
        ADD_FAILURE() << "accepted: " << text;
        return {};
    }

    Environment environment_;

  private:
    TempDir dir_;
};

}  // namespace alca::config

#endif
