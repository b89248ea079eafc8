// What a client sends to alca-init, as it comes from a client that may say anything.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/support/memory.hpp"
#include "fuzz/support/target.hpp"
#include "helpers/alca-init/exec_request.hpp"
#include "helpers/alca-init/frame.hpp"

namespace alca::fuzz {
namespace {

using init::Event;
using Kind = Event::Kind;

struct Seen {
    Kind kind = Kind::more;
    int signal = 0;
    int rows = 0;
    int columns = 0;
    std::size_t data_before = 0;  // bytes of stdin that came before it
    bool operator==(const Seen&) const = default;
};

// What a stream amounts to, however it is cut.
struct Summary {
    std::string data;
    std::string exec;
    std::string reason;
    std::vector<Seen> others;
    bool operator==(const Summary&) const = default;
};

// Only what has come may cost memory: a head promises any length.
constexpr std::size_t kKeptPerByte = 8;
constexpr std::size_t kKeptAlways = std::size_t{16} << 10;

Summary parse(std::string_view stream, std::size_t size) {
    const Memory memory;
    init::FrameParser parser;
    Summary summary;
    in_pieces(stream, size, [&](std::string_view piece) {
        std::string_view input = piece;
        while (true) {
            const Event event = parser.next(input);
            if (event.kind == Kind::more) break;
            if (event.kind == Kind::data) {
                claim(!event.bytes.empty() || summary.reason.empty(), "nothing after a fault");
                summary.data += event.bytes;
                continue;
            }
            if (event.kind == Kind::broken) {
                claim(summary.reason.empty() || summary.reason == event.reason, "one fault");
                summary.reason = event.reason;
                return;
            }
            claim(summary.reason.empty(), "nothing after a fault");
            if (event.kind == Kind::exec) summary.exec = parser.take_exec().view();
            summary.others.push_back({.kind = event.kind,
                                      .signal = event.signal,
                                      .rows = event.window.rows,
                                      .columns = event.window.columns,
                                      .data_before = summary.data.size()});
        }
        claim(input.empty(), "`more` means that all was taken");
    });
    claim(memory.grown() <= stream.size() * kKeptPerByte + kKeptAlways,
          "memory is bounded by what has come");
    return summary;
}

void check_order(const Summary& summary) {
    std::size_t ends = 0;
    for (std::size_t i = 0; i < summary.others.size(); ++i) {
        const Seen& seen = summary.others[i];
        claim((seen.kind == Kind::exec) == (i == 0), "exec comes first, and once");
        claim(seen.kind != Kind::signal || (seen.signal >= 1 && seen.signal <= 31), "signal 1..31");
        if (seen.kind != Kind::end) continue;
        claim(++ends == 1, "stdin ends once");
        claim(seen.data_before == summary.data.size(), "no data after the end of stdin");
    }
    claim(!summary.others.empty() || summary.data.empty(), "nothing before exec");
}

std::string little_endian(std::size_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
}

// A request that is accepted says all that its payload says.
void check_request(const std::string& exec) {
    init::Bytes payload;
    claim(payload.append(exec), "memory");
    init::ExecRequest request;
    if (init::parse_exec_request(payload, request) != nullptr) return;
    std::string again =
        little_endian(1, 4) + little_endian(request.has_terminal ? 1 : 0, 4) +
        little_endian(request.window.rows, 2) + little_endian(request.window.columns, 2) +
        little_endian(request.arguments.size(), 4) + little_endian(request.environment.size(), 4);
    again.append(request.directory).push_back('\0');
    for (const char* text : request.arguments.items()) again.append(text).push_back('\0');
    for (const char* text : request.environment.items()) {
        claim(text[0] != '=' && std::string_view(text).find('=') != std::string_view::npos,
              "an environment entry has a name");
        again.append(text).push_back('\0');
    }
    claim(again == exec, "the request is its payload");
    claim(request.arguments.data()[request.arguments.size()] == nullptr, "ends as execve wants");
}

}  // namespace

void one_input(std::string_view input) {
    const Summary whole = parse(input, input.size());
    claim(parse(input, 1) == whole, "bytes one by one mean the same");
    claim(parse(input, 7) == whole, "pieces mean the same");
    check_order(whole);
    check_request(whole.exec);
    // A payload without a frame around it gets deeper into it.
    check_request(std::string(input));
}

}  // namespace alca::fuzz
