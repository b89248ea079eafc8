#include "exec_request.hpp"

#include <cstdint>
#include <cstring>

#include "little_endian.hpp"

namespace alca::init {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kTerminalFlag = 1;
constexpr std::uint32_t kAdaptTermFlag = 2;  // only with a terminal
constexpr std::size_t kFixedBytes =
    20;  // version, flags, rows, columns, argument and environment count

// The NUL-terminated strings after the fixed part.
class Strings {
  public:
    explicit Strings(Bytes& payload) : at_(payload.data()), left_(payload.size()) {
        skip(kFixedBytes);
    }

    // nullptr when no complete string is left.
    char* take() {
        const void* end = left_ == 0 ? nullptr : std::memchr(at_, '\0', left_);
        if (end == nullptr) return nullptr;
        char* text = at_;
        skip(static_cast<std::size_t>(static_cast<const char*>(end) - at_) + 1);
        return text;
    }
    [[nodiscard]] std::size_t left() const { return left_; }

  private:
    void skip(std::size_t count) {
        at_ += count;
        left_ -= count;
    }

    char* at_;
    std::size_t left_;
};

const char* take_list(Strings& strings, std::uint32_t count, StringList& list) {
    // Each string has at least its NUL: a count that cannot be true must not reserve memory.
    if (count > strings.left()) return "exec frame has fewer strings than it says";
    if (!list.reserve(count)) return "out of memory";
    for (std::uint32_t i = 0; i < count; ++i) {
        char* text = strings.take();
        if (text == nullptr) return "exec frame has fewer strings than it says";
        list.add(text);
    }
    return nullptr;
}

}  // namespace

const char* parse_exec_request(Bytes& payload, ExecRequest& request) {
    const std::string_view fixed = payload.view();
    if (fixed.size() < kFixedBytes) return "exec frame is too short";
    if (read_little_endian<std::uint32_t>(fixed) != kVersion)
        return "exec frame has another version";
    const auto flags = read_little_endian<std::uint32_t>(fixed.substr(4));
    request.has_terminal = (flags & kTerminalFlag) != 0;
    request.adapts_term = (flags & kAdaptTermFlag) != 0;
    if (flags > (kTerminalFlag | kAdaptTermFlag) || flags == kAdaptTermFlag)
        return "exec frame has unknown flags";
    request.window.rows = read_little_endian<std::uint16_t>(fixed.substr(8));
    request.window.columns = read_little_endian<std::uint16_t>(fixed.substr(10));
    const auto argument_count = read_little_endian<std::uint32_t>(fixed.substr(12));
    const auto environment_count = read_little_endian<std::uint32_t>(fixed.substr(16));

    Strings strings(payload);
    request.directory = strings.take();
    if (request.directory == nullptr) return "exec frame has no directory";
    if (request.directory[0] != '/') return "directory of the exec frame is not absolute";
    if (const char* reason = take_list(strings, argument_count, request.arguments)) return reason;
    if (const char* reason = take_list(strings, environment_count, request.environment))
        return reason;
    if (strings.left() != 0) return "exec frame has more bytes than it says";
    for (const char* entry : request.environment.items()) {
        const char* equals = std::strchr(entry, '=');
        if (equals == nullptr || equals == entry) return "environment entry is not NAME=value";
    }
    return nullptr;
}

}  // namespace alca::init
