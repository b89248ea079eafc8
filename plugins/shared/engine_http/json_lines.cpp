#include "plugins/shared/engine_http/json_lines.hpp"

namespace alca::engine_http {

namespace {
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
}

Result<void> JsonLines::feed(std::string_view piece) {
    while (true) {
        const std::size_t end = piece.find('\n');
        rest_.append(piece.substr(0, end));
        if (rest_.size() > kMaxLineBytes) return fail("the engine sent a line longer than 1 MiB");
        if (end == std::string_view::npos) return {};
        const std::string line = std::exchange(rest_, {});
        if (auto taken = take_line(line); !taken) return taken;
        piece.remove_prefix(end + 1);
    }
}

Result<void> JsonLines::finish() { return take_line(std::exchange(rest_, {})); }

Result<void> JsonLines::take_line(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
    auto object = parse_object(line);
    if (!object) return fail("the engine sent a line that is no JSON object");
    return handler_(*object);
}

}  // namespace alca::engine_http
