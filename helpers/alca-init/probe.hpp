#pragma once

#include <string_view>

#include "text.hpp"

namespace alca::init {

// Sends one byte by UDP to the closed port 9 of `address` (an IPv4 or IPv6 literal) and waits up to
// 300 ms for the answer, fifteen times at most. The answer is:
//   the errno name that an ICMP error was turned into, such as EHOSTUNREACH, EACCES or
//   ECONNREFUSED; ENETUNREACH when there is no route; "local-" and an errno name when this kernel
//   refused for another reason before a packet left, which proves nothing about the path;
//   "answered"; "timeout".
// False: `answer` says what went wrong.
[[nodiscard]] bool probe(std::string_view address, Text& answer);

// Whether this namespace's own rules refuse a packet to `address`, which they must: the system call
// fails with EPERM at once. Else `answer` says what happened.
[[nodiscard]] bool is_refused(std::string_view address, Text& answer);

}  // namespace alca::init
