#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "frame.hpp"

namespace alca::init {

// What a client of the socket says first, and what it is answered; docs/reference/run-protocol.md.

inline constexpr std::size_t kMaxHelloBytes = 1024;
inline constexpr std::size_t kNonceBytes = 16;

struct Hello {
    std::array<char, kMaxHelloBytes> payload{};
    // Views into it; user and refused end in a NUL there.
    std::string_view nonce;
    std::string_view user;     // "UID", "UID:GID", a name, "NAME:GROUP"; "" = root
    std::string_view refused;  // an address, "" = none
};

// Of the payload that follows; 0: no hello, or one of a wrong size.
[[nodiscard]] std::size_t hello_length(std::string_view head);
// Of `length` bytes in hello.payload. False: it breaks the protocol or has another version.
[[nodiscard]] bool parse_hello(std::size_t length, Hello& hello);

class AnswerFrame {
  public:
    enum class Type : std::uint8_t { welcome = 17, exit = 18, decline = 19 };
    explicit AnswerFrame(Type type) { bytes_[0] = static_cast<char>(type); }
    // What does not fit is cut off.
    void put(std::string_view bytes);
    void put(std::uint32_t number);
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, kFrameHeadBytes + 248> bytes_{};
    std::size_t size_ = kFrameHeadBytes;
};

[[nodiscard]] AnswerFrame welcome(const Hello& hello);
// Nothing was started; the client may take another way.
[[nodiscard]] AnswerFrame decline(std::string_view reason);
[[nodiscard]] AnswerFrame exit_code_frame(int code);

}  // namespace alca::init
