#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace alca::init::testing {

// What a client sends, see docs/reference/run-protocol.md.

inline std::string little_endian(std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
    return bytes;
}

inline std::string frame(std::uint8_t type, std::string_view payload) {
    std::string bytes{static_cast<char>(type), 0, 0, 0};
    bytes += little_endian(payload.size(), 4);
    bytes += payload;
    return bytes;
}

struct Exec {
    std::vector<std::string> arguments;
    std::vector<std::string> environment = {};
    std::string directory = "/";
    bool has_terminal = false;
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
    bool adapts_term = false;
};

inline std::string exec_payload(const Exec& exec) {
    std::string payload =
        little_endian(1, 4) +
        little_endian((exec.has_terminal ? 1 : 0) + (exec.adapts_term ? 2 : 0), 4) +
        little_endian(exec.rows, 2) + little_endian(exec.columns, 2) +
        little_endian(exec.arguments.size(), 4) + little_endian(exec.environment.size(), 4);
    payload += exec.directory + '\0';
    for (const std::string& argument : exec.arguments) payload += argument + '\0';
    for (const std::string& entry : exec.environment) payload += entry + '\0';
    return payload;
}

inline std::string exec_frame(const Exec& exec) { return frame(1, exec_payload(exec)); }
inline std::string shell_frame(const std::string& script) {
    return exec_frame({.arguments = {"sh", "-c", script}});
}
inline std::string terminal_frame(const std::string& script) {
    return exec_frame({.arguments = {"sh", "-c", script}, .has_terminal = true});
}
inline std::string data_frame(std::string_view bytes) { return frame(2, bytes); }
inline std::string end_frame() { return frame(3, ""); }
inline std::string signal_frame(std::uint32_t number) { return frame(4, little_endian(number, 4)); }
inline std::string window_frame(std::uint16_t rows, std::uint16_t columns) {
    return frame(5, little_endian(rows, 2) + little_endian(columns, 2));
}

}  // namespace alca::init::testing
