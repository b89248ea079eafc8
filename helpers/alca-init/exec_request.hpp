#pragma once

#include "bytes.hpp"
#include "frame.hpp"
#include "string_list.hpp"

namespace alca::init {

// What the client asks to be run. Points into the payload it was parsed from.
struct ExecRequest {
    bool has_terminal = false;
    bool adapts_term = false;  // TERM is the user's terminal, not the user's choice
    WindowSize window;
    const char* directory = nullptr;  // absolute
    StringList arguments;             // empty: the image's best shell
    StringList environment;           // "NAME=value", any bytes
};

// Reads the payload of an exec frame. nullptr: done, else what is wrong with it.
[[nodiscard]] const char* parse_exec_request(Bytes& payload, ExecRequest& request);

}  // namespace alca::init
