#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace alca::tree {

// A relative path that grows and shrinks by names, "" for the top. Of bounded length: what a kernel
// takes. Stands in for std::string, which alca-init has not.
class Path {
  public:
    [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }
    // Null-terminated; "." for the top.
    [[nodiscard]] const char* c_str() const { return size_ == 0 ? "." : buffer_.data(); }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_empty() const { return size_ == 0; }

    // False: it would be too long, and stays as it is.
    [[nodiscard]] bool set(std::string_view path);
    // "a" and "b" become "a/b".
    [[nodiscard]] bool push(std::string_view name);
    void cut(std::size_t size);  // back to an earlier size()

  private:
    static constexpr std::size_t kMaxBytes = 4095;
    std::array<char, kMaxBytes + 1> buffer_{};
    std::size_t size_ = 0;
};

// Takes the first name from the front of `path`, without its slashes. "": there is none any more.
[[nodiscard]] std::string_view take_name(std::string_view& path);

// "a/b" in its directory "a" and its name "b"; the directory of "b" is "".
struct Split {
    std::string_view directory;
    std::string_view name;
};
[[nodiscard]] Split split(std::string_view path);

// Whether `path` is `above` or something below it. Everything is below "".
[[nodiscard]] bool is_at_or_below(std::string_view path, std::string_view above);

// Whether a symbolic link at `path`, relative to the top of a tree, leads out of that tree.
[[nodiscard]] bool leads_out(std::string_view path, std::string_view target);

}  // namespace alca::tree
