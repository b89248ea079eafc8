// core/flow/frames.hpp - what `alca run` writes to `alca-init stub` inside the sandbox.
//
// docs/reference/run-protocol.md is the contract; helpers/alca-init holds the other side.
#ifndef ALCA_CORE_FLOW_FRAMES_HPP
#define ALCA_CORE_FLOW_FRAMES_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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
    os::WindowSize size;      // with tty
    bool adapt_term = false;  // with tty: TERM may become a relative that the image knows
};

// Errors: invalid (a NUL byte in an argument, or the whole is larger than the protocol allows).
[[nodiscard]] Result<std::string> command_frame(const Command& command);
[[nodiscard]] std::string input_frame(std::string_view data);  // at most kMaxInputFrameBytes
[[nodiscard]] std::string input_end_frame();
[[nodiscard]] std::string signal_frame(int signal);
[[nodiscard]] std::string window_size_frame(os::WindowSize size);

// On the socket of alca-init only: what comes first, and what it answers.
inline constexpr std::size_t kNonceBytes = 16;
inline constexpr std::size_t kMaxAnswerBytes = 512;

// Errors: invalid (a NUL byte in user or address, or too long).
[[nodiscard]] Result<std::string> hello_frame(std::string_view nonce, std::string_view user,
                                              std::string_view refused_address);
[[nodiscard]] std::string welcome_payload(std::string_view nonce);

enum class AnswerType { welcome, exit, decline, unknown };
struct Answer {
    AnswerType type = AnswerType::unknown;
    std::string payload;
    int exit_code = 0;  // of exit, 0..255
};
// Takes the first complete frame from the front of `bytes`.
[[nodiscard]] std::optional<Answer> take_answer(std::string& bytes);
// Of what comes from a sandbox: printable ASCII only, so that a terminal shows it as it is.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace alca::flow

#endif
