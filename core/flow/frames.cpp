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
};

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::uint32_t kFlagTty = 1;

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
    put_u32(payload, command.tty ? kFlagTty : 0);
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

}  // namespace alca::flow
