#pragma once

#include <string_view>

#include "fd.hpp"
#include "text.hpp"

namespace alca::init {

// A socket at `path` that waits for clients. What is left there of an earlier start is taken away.
// None: `fault` says why.
[[nodiscard]] Fd listen_at(std::string_view path, Text& fault);

// Takes one client and serves it in a process of its own (a child of this one). Clients inside the
// sandbox are turned away: they could give themselves any user.
void welcome_client(int listener);

}  // namespace alca::init
