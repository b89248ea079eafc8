// plugins/shared/engine_http/pump.hpp - moves the bytes of a running command both ways.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_PUMP_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_PUMP_HPP

#include <cstdint>
#include <functional>
#include <optional>

#include "alca/plugin.h"
#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/client.hpp"

namespace alca::engine_http {

enum class PumpEnd : std::uint8_t {
    stream_ended,    // by the engine: the command has closed its output
    reader_is_gone,  // nobody reads io.out or io.err any more
};

using ResizeHandler = std::function<void(alca_winsize size)>;

// Copies io.in to the stream and the stream to io.out and io.err (with a terminal all to io.out),
// until the stream ends. The end of io.in is passed on; the stream's other half stays open. Never
// waits for one side while the other has bytes. `on_resize` gets the newest size from io.resize_fd.
// The descriptors of `io` are not changed: others may share their flags.
// Errors: cancelled (the stream is closed then), unavailable (connection lost), failed.
[[nodiscard]] Result<PumpEnd> pump(const Call& call, Stream stream, const Stdio& io,
                                   const ResizeHandler& on_resize);

// The newest of the sizes that wait in `fd`; nullopt when there is none. `fd` may be -1.
[[nodiscard]] std::optional<alca_winsize> newest_size(int fd);

}  // namespace alca::engine_http

#endif
