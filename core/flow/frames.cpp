#include "core/flow/frames.hpp"

#include <fmt/format.h>

namespace alca::flow {
namespace {

enum class FrameType : std::uint8_t {
    command = 1,
    input = 2,
    input_end = 3,
    signal = 4,
    window_size = 5,
    hello = 16,
    welcome = 17,
    exit = 18,
    decline = 19,
};

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::uint32_t kFlagTty = 1;
constexpr std::uint32_t kFlagAdaptTerm = 2;

void put_u16(std::string& out, std::uint16_t value) {
    out.push_back(static_cast<char>(value & 0xff));
    out.push_back(static_cast<char>(value >> 8));
}

void put_u32(std::string& out, std::uint32_t value) {
    put_u16(out, static_cast<std::uint16_t>(value & 0xffff));
    put_u16(out, static_cast<std::uint16_t>(value >> 16));
}

std::string frame(FrameType type, std::string_view payload) {
    std::string out;
    out.reserve(payload.size() + 8);
    put_u32(out, static_cast<std::uint32_t>(type));
    put_u32(out, static_cast<std::uint32_t>(payload.size()));
    out += payload;
    return out;
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

Result<std::string> command_frame(const Command& command) {
    std::string payload;
    put_u32(payload, kProtocolVersion);
    put_u32(payload, (command.tty ? kFlagTty : 0) |
                         (command.tty && command.adapt_term ? kFlagAdaptTerm : 0));
    put_u16(payload, command.size.rows);
    put_u16(payload, command.size.cols);
    put_u32(payload, static_cast<std::uint32_t>(command.argv.size()));
    put_u32(payload, static_cast<std::uint32_t>(command.env.size()));
    const auto put_string = [&payload](std::string_view text) {
        payload += text;
        payload.push_back('\0');
    };
    if (has_nul(command.cwd)) return fail(Code::invalid, "the directory holds a NUL byte");
    put_string(command.cwd);
    for (const std::string& argument : command.argv) {
        if (has_nul(argument)) return fail(Code::invalid, "an argument holds a NUL byte");
        put_string(argument);
    }
    for (const auto& [name, value] : command.env) {
        if (has_nul(name)) return fail(Code::invalid, "the name of a variable holds a NUL byte");
        if (has_nul(value)) return fail(Code::invalid, fmt::format("{} holds a NUL byte", name));
        put_string(fmt::format("{}={}", name, value));
    }
    if (payload.size() > kMaxCommandFrameBytes) {
        return fail(Code::invalid,
                    fmt::format("arguments and environment are {} bytes; at most {} can be passed",
                                payload.size(), kMaxCommandFrameBytes));
    }
    return frame(FrameType::command, payload);
}

std::string input_frame(std::string_view data) { return frame(FrameType::input, data); }

std::string input_end_frame() { return frame(FrameType::input_end, {}); }

std::string signal_frame(int signal) {
    std::string payload;
    put_u32(payload, static_cast<std::uint32_t>(signal));
    return frame(FrameType::signal, payload);
}

std::string window_size_frame(os::WindowSize size) {
    std::string payload;
    put_u16(payload, size.rows);
    put_u16(payload, size.cols);
    return frame(FrameType::window_size, payload);
}

Result<std::string> hello_frame(std::string_view nonce, std::string_view user,
                                std::string_view refused_address) {
    constexpr std::size_t kMaxBytes = 1024;
    if (has_nul(user) || has_nul(refused_address)) {
        return fail(Code::invalid, "the user's name holds a NUL byte");
    }
    std::string payload = welcome_payload(nonce);
    payload.append(user).push_back('\0');
    payload.append(refused_address).push_back('\0');
    if (payload.size() > kMaxBytes) return fail(Code::invalid, "the user's name is too long");
    return frame(FrameType::hello, payload);
}

std::string welcome_payload(std::string_view nonce) {
    std::string payload;
    put_u32(payload, kProtocolVersion);
    payload += nonce;
    return payload;
}

std::optional<Answer> take_answer(std::string& bytes) {
    constexpr std::size_t kHeadBytes = 8;
    if (bytes.size() < kHeadBytes) return std::nullopt;
    const auto number_at = [&bytes](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 4; i > 0; --i) {
            value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
        }
        return value;
    };
    const std::size_t length = number_at(4);
    Answer answer;
    // Longer than any is: not worth waiting for.
    if (length > kMaxAnswerBytes - kHeadBytes) return answer;
    if (bytes.size() < kHeadBytes + length) return std::nullopt;
    const std::uint32_t type = number_at(0);
    answer.payload = bytes.substr(kHeadBytes, length);
    if (type == static_cast<std::uint32_t>(FrameType::welcome)) answer.type = AnswerType::welcome;
    if (type == static_cast<std::uint32_t>(FrameType::decline)) answer.type = AnswerType::decline;
    if (type == static_cast<std::uint32_t>(FrameType::exit) && length == 4) {
        answer.type = AnswerType::exit;
        answer.exit_code = static_cast<int>(number_at(kHeadBytes) & 0xff);
    }
    bytes.erase(0, kHeadBytes + length);
    return answer;
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c < 0x20 || c > 0x7e) c = '?';
    }
    return out;
}

}  // namespace alca::flow
