// Included by alca/plugin.hpp: from the C calls of the host to C++ and back.
#ifndef ALCA_DETAIL_TRAMPOLINE_HPP
#define ALCA_DETAIL_TRAMPOLINE_HPP

#include <exception>
#include <string_view>
#include <type_traits>

#include "alca/call.hpp"
#include "alca/detail/progress_json.hpp"
#include "alca/json.hpp"
#include "alca/plugin.h"
#include "alca/result.hpp"

namespace alca::detail {

[[nodiscard]] inline alca_str to_abi(std::string_view text) { return {text.data(), text.size()}; }
[[nodiscard]] inline std::string_view from_abi(alca_str text) {
    return text.len == 0 ? std::string_view() : std::string_view(text.data, text.len);
}

// The host's alca_call as the class that an author sees.
class HostCall final : public Call {
  public:
    explicit HostCall(const alca_call& call) : call_(call) {}

    [[nodiscard]] int cancel_fd() const override { return call_.cancel_fd; }
    void log(LogLevel level, std::string_view line) const override {
        if (ALCA_HAS(&call_, log)) {
            call_.log(&call_, static_cast<std::int32_t>(level), to_abi(line));
        }
    }
    void progress(const Progress& progress) const override {
        if (ALCA_HAS(&call_, progress)) call_.progress(&call_, to_abi(dump(Json(progress))));
    }

  private:
    const alca_call& call_;
};

inline void send_reply(const alca_call& call, const Json& json) {
    if (ALCA_HAS(&call, reply)) call.reply(&call, to_abi(dump(json)));
}
[[nodiscard]] inline alca_status send_error(const alca_call& call, alca_status code,
                                            std::string_view message) {
    if (ALCA_HAS(&call, fail)) call.fail(&call, to_abi(message));
    return code;
}
[[nodiscard]] inline alca_status send_error(const alca_call& call, const Error& error) {
    return send_error(call, static_cast<alca_status>(error.code), error.message);
}

// Runs `body`, which returns a status; nothing that it throws goes further.
template <class Body>
[[nodiscard]] alca_status guarded(const alca_call& call, const Body& body) noexcept {
    try {
        return body();
    } catch (const std::exception& exception) {
        return send_error(call, ALCA_FAILED, exception.what());
    } catch (...) {
        return send_error(call, ALCA_FAILED,
                          "the plugin threw something that is no std::exception");
    }
}

// One method: parses the request, runs `body(HostCall, Json)`, sends its Result as the answer.
// A Result<void> is the answer {}.
template <class Body>
[[nodiscard]] alca_status answer(const alca_call* call, alca_str request,
                                 const Body& body) noexcept {
    return guarded(*call, [&]() -> alca_status {
        auto json = parse_object(from_abi(request));
        if (!json) return send_error(*call, ALCA_INVALID, "request: " + json.error().message);
        auto result = body(HostCall(*call), *json);
        if (!result) return send_error(*call, result.error());
        if constexpr (std::is_void_v<typename decltype(result)::value_type>) {
            send_reply(*call, Json::object());
        } else {
            send_reply(*call, Json(*result));
        }
        return ALCA_OK;
    });
}

// The request's member `name` as a T of the SDK.
template <class T>
[[nodiscard]] Result<T> member(const Json& request, const char* name) {
    T value;
    JsonReader in(request, "request");
    in.require(name, value);
    return in.done(std::move(value));
}

}  // namespace alca::detail

#endif
