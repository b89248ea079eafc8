// What the tests of core/plugins share: a directory of plugins, and a call that remembers.
#ifndef ALCA_TESTS_UNIT_CORE_PLUGINS_SUPPORT_HPP
#define ALCA_TESTS_UNIT_CORE_PLUGINS_SUPPORT_HPP

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alca/call.hpp"
#include "core/os/crash.hpp"
#include "core/os/file.hpp"
#include "core/plugins/loader.hpp"

namespace alca::plugins::test {

// Remembers log lines and progress. cancel_fd is -1 until set.
class RecordingCall final : public Call {
  public:
    [[nodiscard]] int cancel_fd() const override { return cancel; }
    void log(LogLevel level, std::string_view line) const override {
        lines.emplace_back(level, line);
    }
    void progress(const Progress& step) const override { steps.push_back(step); }

    int cancel = -1;
    mutable std::vector<std::pair<LogLevel, std::string>> lines;
    mutable std::vector<Progress> steps;
};

// An empty directory of the user's own, removed at the end.
class TempDir {
  public:
    TempDir() {
        std::string name = fs::temp_directory_path() / "alca-plugins-test-XXXXXX";
        path_ = fs::canonical(::mkdtemp(name.data()));
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code error;
        fs::remove_all(path_, error);
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

// Writes a file that its owner alone can write, whatever the umask is.
inline void write(const fs::path& file, std::string_view text) {
    fs::create_directories(file.parent_path());
    ASSERT_TRUE(os::write_file_atomic(file, text, 0644));
}

inline std::string manifest_text(std::string_view id, std::string_view more = "") {
    return fmt::format(R"({{"manifest":1,"id":"{0}","version":"1.2.3","abi":1,"library":"{0}.so",)"
                       R"("provides":["alca.presets/1"]{1}}})",
                       id, more);
}

// A directory with copies of the plugins in tests/bad_plugins, so that each test can spoil its own.
class PluginDir {
  public:
    [[nodiscard]] const fs::path& path() const { return directory_.path(); }

    fs::path add(const std::string& id) const {
        const fs::path source = fs::path(ALCA_BAD_PLUGIN_DIR) / id;
        const fs::path library = path() / (id + ".so");
        fs::copy_file(source.string() + ".so", library);
        fs::copy_file(source.string() + ".alca.json", path() / (id + ".alca.json"));
        ::chmod(library.c_str(), 0755);
        ::chmod((path() / (id + ".alca.json")).c_str(), 0644);
        return library;
    }
    [[nodiscard]] Catalog scan() const {
        return plugins::scan({{path()}, {}}, {::geteuid(), {}, {}});
    }

  private:
    TempDir directory_;
};

}  // namespace alca::plugins::test

#endif
