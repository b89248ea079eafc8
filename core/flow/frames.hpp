// core/flow/frames.hpp - what `alca run` writes to `alca-init stub` inside the sandbox.
//
// docs/reference/run-protocol.md is the contract; helpers/alca-init holds the other side.
#ifndef ALCA_CORE_FLOW_FRAMES_HPP
#define ALCA_CORE_FLOW_FRAMES_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"
#include "core/os/terminal.hpp"

namespace alca::flow {

inline constexpr std::size_t kMaxInputFrameBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxCommandFrameBytes = std::size_t{4} * 1024 * 1024;

// A command as the user typed it: exact bytes, no text encoding assumed.
struct Command {
    std::vector<std::string> argv;  // empty: the image's best shell
    std::map<std::string, std::string> env;
    std::string cwd;  // absolute, inside
    bool tty = false;
    os::WindowSize size;  // with tty
};

// Errors: invalid (a NUL byte in an argument, or the whole is larger than the protocol allows).
[[nodiscard]] Result<std::string> command_frame(const Command& command);
[[nodiscard]] std::string input_frame(std::string_view data);  // at most kMaxInputFrameBytes
[[nodiscard]] std::string input_end_frame();
[[nodiscard]] std::string signal_frame(int signal);
[[nodiscard]] std::string window_size_frame(os::WindowSize size);

}  // namespace alca::flow

#endif
