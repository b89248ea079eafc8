#ifndef ALCA_TESTS_UNIT_HELPERS_SHARED_TREE_SUPPORT_HPP
#define ALCA_TESTS_UNIT_HELPERS_SHARED_TREE_SUPPORT_HPP

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "helpers/shared/tree/entry.hpp"
#include "helpers/shared/tree/fd.hpp"
#include "helpers/shared/tree/report.hpp"

namespace alca::tree {

namespace fs = std::filesystem;

// A directory of its own, removed at the end.
class Scratch {
  public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "alca-tree-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        // Directories that a test made unreadable.
        const std::string command = "chmod -R u+rwx '" + path_.string() + "'";
        static_cast<void>(std::system(command.c_str()) == 0);
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const { return path_; }
    void make_directory(const fs::path& name) const { fs::create_directories(path_ / name); }
    void write(const fs::path& name, std::string_view content) const {
        std::ofstream(path_ / name, std::ios::binary) << content;
    }
    [[nodiscard]] std::string read(const fs::path& name) const {
        std::ifstream file(path_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] Fd open(const fs::path& name = "") const {
        return Fd(::open((path_ / name).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }

  private:
    fs::path path_;
};

// Everything below `top`: name -> type, mode, time, and content or target. What changed, shows.
inline std::map<std::string, std::string> picture(const fs::path& top) {
    std::map<std::string, std::string> entries;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
        struct stat info{};
        ::lstat(entry.path().c_str(), &info);
        std::string text = std::to_string(info.st_mode) + " ";
        if (S_ISLNK(info.st_mode)) text += fs::read_symlink(entry.path()).string();
        if (S_ISREG(info.st_mode)) {
            std::ifstream file(entry.path(), std::ios::binary);
            text += std::to_string(info.st_mtime) + " ";
            text += std::string(std::istreambuf_iterator<char>(file), {});
        }
        entries[entry.path().lexically_relative(top).string()] = text;
    }
    return entries;
}

class StringSource final : public ByteSource {
  public:
    explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
    ssize_t read(char* at, std::size_t count) override {
        const std::size_t part = std::min(count, bytes_.size() - at_);
        std::memcpy(at, bytes_.data() + at_, part);
        at_ += part;
        return static_cast<ssize_t>(part);
    }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

class StringSink final : public ByteSink {
  public:
    bool write(const char* data, std::size_t count) override {
        bytes.append(data, count);
        return true;
    }
    std::string bytes;
};

class Notes final : public Report {
  public:
    void failed(std::string_view path, std::string_view why) override {
        failures.push_back(std::string(path) + ": " + std::string(why));
    }
    void skipped(std::string_view path) override { left_out.emplace_back(path); }
    void lost_bits(std::string_view path) override { lost.emplace_back(path); }
    void leads_out(std::string_view path, std::string_view target) override {
        leading_out.push_back(std::string(path) + " -> " + std::string(target));
    }
    std::vector<std::string> failures;
    std::vector<std::string> left_out;
    std::vector<std::string> lost;
    std::vector<std::string> leading_out;
};

}  // namespace alca::tree

#endif
