#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace alca::init {

// One message of bounded length; what does not fit is cut off. Stands in for std::string, see
// bytes.hpp.
class Text {
  public:
    void set(std::initializer_list<std::string_view> parts);
    [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }
    [[nodiscard]] const char* c_str() const { return buffer_.data(); }

  private:
    static constexpr std::size_t kMaxBytes = 1023;

    std::array<char, kMaxBytes + 1> buffer_{};
    std::size_t size_ = 0;
};

// A number as decimal text: `complain("alca", {"uid ", Number(uid).view()})`.
class Number {
  public:
    explicit Number(std::uint64_t value);
    [[nodiscard]] std::string_view view() const { return {digits_.data(), size_}; }

  private:
    std::array<char, 20> digits_{};
    std::size_t size_ = 0;
};

// Plain decimal digits, nothing around them, 0..maximum.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text,
                                                        std::uint64_t maximum);

// "permission denied" and "EACCES" for EACCES. Never empty, no locale.
[[nodiscard]] Text describe_error(int error);
[[nodiscard]] std::string_view error_name(int error);

// Writes "PROGRAM: PARTS\n" to stderr with one write, so that messages of several processes do not
// mix.
void complain(std::string_view program, std::initializer_list<std::string_view> parts);

}  // namespace alca::init
