// A temporary directory with a project, a home, a state store and a stand-in for alca-init.
#ifndef ALCA_TESTS_SUPPORT_FAKES_TEMPORARY_PROJECT_HPP
#define ALCA_TESTS_SUPPORT_FAKES_TEMPORARY_PROJECT_HPP

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace alca::fakes {

namespace fs = std::filesystem;

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (fs::temp_directory_path() / "alca-test-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = fs::canonical(name);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

inline void write_text(const fs::path& file, std::string_view text) {
    std::ofstream(file, std::ios::binary) << text;
}

inline std::string read_text(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class TemporaryProject {
  public:
    TemporaryProject() {
        fs::create_directory(path());
        fs::create_directory(home());
        write_text(init_program(), "stand-in for alca-init");
    }

    [[nodiscard]] const fs::path& base() const { return directory_.path(); }
    [[nodiscard]] fs::path path() const { return base() / "project"; }
    [[nodiscard]] fs::path home() const { return base() / "home"; }
    [[nodiscard]] fs::path state() const { return base() / "state"; }
    [[nodiscard]] fs::path init_program() const { return base() / "alca-init"; }

  private:
    TemporaryDirectory directory_;
};

}  // namespace alca::fakes

#endif
