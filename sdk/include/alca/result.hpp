// alca/result.hpp - Result<T> and Error: how every fallible function of alca and of its SDK
// answers.
//
//   Result<Config> load(...);                     returns a Config, or says why not
//   if (!r) return fail(r.error(), "load config") adds context on the way up
//   return fail(Code::not_found, "no such image") makes an error
//
// The underlying type is tl::expected; nothing else includes its header, so that std::expected can
// replace it when every supported compiler has it.
#ifndef ALCA_RESULT_HPP
#define ALCA_RESULT_HPP

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "alca/plugin.h"

namespace alca {

// The error codes of the ABI, by name. Values equal the ALCA_* constants.
enum class Code : alca_status {
    failed = ALCA_FAILED,
    unsupported = ALCA_UNSUPPORTED,
    unavailable = ALCA_UNAVAILABLE,
    not_found = ALCA_NOT_FOUND,
    invalid = ALCA_INVALID,
    denied = ALCA_DENIED,
    cancelled = ALCA_CANCELLED,
};

// Why something failed. message: for the user, lower case, no full stop, says what to do next.
struct Error {
    Code code = Code::failed;
    std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return fail(Code::failed, std::move(message));
}
// Passes `error` on unchanged.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}
// Passes `error` on with what was attempted in front: "CONTEXT: MESSAGE".
[[nodiscard]] inline tl::unexpected<Error> fail(Error error, std::string_view context) {
    error.message.insert(0, ": ").insert(0, context);
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace alca

#endif
