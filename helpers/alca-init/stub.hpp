#pragma once

#include <span>

namespace alca::init {

// `alca-init stub`: runs one command for the frames on stdin (docs/reference/run-protocol.md).
// Returns the exit code for the client.
[[nodiscard]] int run_stub(std::span<char* const> arguments);

// The part behind the client's way in, on this process's three streams: from the exec frame to the
// exit code.
[[nodiscard]] int serve_client();

// What was left open is not for the command. False: errno says why.
[[nodiscard]] bool close_inherited();

}  // namespace alca::init
