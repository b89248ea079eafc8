#include "hello.hpp"

#include <algorithm>

#include "little_endian.hpp"

namespace alca::init {
namespace {

constexpr char kHelloType = 16;
constexpr std::uint32_t kVersion = 1;

// The string at the front of `rest`, without its NUL.
bool take_string(std::string_view& rest, std::string_view& out) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return false;
    out = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

}  // namespace

std::size_t hello_length(std::string_view head) {
    const bool is_hello = head[0] == kHelloType && head[1] == 0 && head[2] == 0 && head[3] == 0;
    const auto length = read_little_endian<std::uint32_t>(head.substr(4));
    return is_hello && length <= kMaxHelloBytes ? length : 0;
}

bool parse_hello(std::size_t length, Hello& hello) {
    std::string_view rest(hello.payload.data(), length);
    if (rest.size() < sizeof kVersion + kNonceBytes) return false;
    if (read_little_endian<std::uint32_t>(rest) != kVersion) return false;
    hello.nonce = rest.substr(sizeof kVersion, kNonceBytes);
    rest.remove_prefix(sizeof kVersion + kNonceBytes);
    return take_string(rest, hello.user) && take_string(rest, hello.refused) && rest.empty();
}

void AnswerFrame::put(std::string_view bytes) {
    bytes = bytes.substr(0, bytes_.size() - size_);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
    bytes_[4] = static_cast<char>(size_ - kFrameHeadBytes);
}

void AnswerFrame::put(std::uint32_t number) {
    std::array<char, sizeof number> bytes{};
    for (char& byte : bytes) {
        byte = static_cast<char>(number & 0xffU);
        number >>= 8U;
    }
    put(std::string_view(bytes.data(), bytes.size()));
}

AnswerFrame welcome(const Hello& hello) {
    AnswerFrame frame(AnswerFrame::Type::welcome);
    frame.put(kVersion);
    frame.put(hello.nonce);
    return frame;
}

AnswerFrame decline(std::string_view reason) {
    AnswerFrame frame(AnswerFrame::Type::decline);
    frame.put(reason);
    return frame;
}

AnswerFrame exit_code_frame(int code) {
    AnswerFrame frame(AnswerFrame::Type::exit);
    frame.put(static_cast<std::uint32_t>(code));
    return frame;
}

}  // namespace alca::init
