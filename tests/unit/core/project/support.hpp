// A temporary directory with a project and a state store beside it.
#ifndef ALCA_TESTS_UNIT_CORE_PROJECT_SUPPORT_HPP
#define ALCA_TESTS_UNIT_CORE_PROJECT_SUPPORT_HPP

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include "core/project/state.hpp"

namespace alca::project {

class ProjectTest : public testing::Test {
  protected:
    ProjectTest() {
        std::string name = (fs::temp_directory_path() / "alca-project-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) base_ = fs::canonical(name);
        fs::create_directory(project());
    }
    ~ProjectTest() override {
        std::error_code ignored;
        fs::remove_all(base_, ignored);
    }

    [[nodiscard]] const fs::path& base() const { return base_; }
    [[nodiscard]] fs::path project() const { return base_ / "project"; }
    [[nodiscard]] fs::path state_dir() const { return base_ / "state" / "alca"; }
    [[nodiscard]] Store store() const { return Store(state_dir()); }
    [[nodiscard]] Directory directory() const { return look_at(project()).value_or(Directory{}); }

    static void write(const fs::path& file, std::string_view text) {
        std::ofstream(file, std::ios::binary) << text;
    }
    static std::string read(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static mode_t mode(const fs::path& file) {
        struct stat info{};
        return ::lstat(file.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
    }

  private:
    fs::path base_;
};

}  // namespace alca::project

#endif
