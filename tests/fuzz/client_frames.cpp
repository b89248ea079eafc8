// Whatever `alca run` puts into frames, alca-init takes the same out of them.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/frames.hpp"
#include "fuzz/support/target.hpp"
#include "helpers/alca-init/exec_request.hpp"
#include "helpers/alca-init/frame.hpp"

namespace alca::fuzz {
namespace {

using init::Event;
using Kind = Event::Kind;

std::uint16_t take_number(std::string_view& input) {
    const unsigned high = take_byte(input);
    return static_cast<std::uint16_t>(high << 8U | take_byte(input));
}

flow::Command take_command(std::string_view& input) {
    flow::Command command;
    command.tty = take_byte(input) % 2 == 1;
    command.size = {.rows = take_number(input), .cols = take_number(input)};
    command.cwd = "/" + std::string(take_part(input));
    for (unsigned n = take_byte(input) % 8; n > 0; --n) {
        command.argv.emplace_back(take_part(input));
    }
    for (unsigned n = take_byte(input) % 8; n > 0; --n) {
        // A name is never empty and has no "=": the configuration and the command line see to it.
        std::string name = "N" + std::string(take_part(input));
        name.resize(name.find('=') == std::string::npos ? name.size() : name.find('='));
        command.env.insert_or_assign(std::move(name), std::string(take_part(input)));
    }
    return command;
}

void check_command(const flow::Command& command, init::Bytes payload) {
    init::ExecRequest request;
    claim(init::parse_exec_request(payload, request) == nullptr, "the command is accepted");
    claim(request.has_terminal == command.tty, "terminal");
    claim(request.window.rows == command.size.rows && request.window.columns == command.size.cols,
          "size of the terminal");
    claim(request.directory == command.cwd, "directory");
    const auto arguments = request.arguments.items();
    claim(std::vector<std::string>(arguments.begin(), arguments.end()) == command.argv,
          "arguments");
    std::map<std::string, std::string> env;
    for (const std::string_view entry : request.environment.items()) {
        const std::size_t equals = entry.find('=');
        env.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    claim(env == command.env, "environment");
}

}  // namespace

void one_input(std::string_view input) {
    const flow::Command command = take_command(input);
    const auto first = flow::command_frame(command);
    claim(first.has_value(), "a command without NUL bytes fits into a frame");
    const int signal = take_byte(input) % 31 + 1;
    const os::WindowSize size{.rows = take_number(input), .cols = take_number(input)};
    const std::string stream = *first + flow::window_size_frame(size) + flow::input_frame(input) +
                               flow::signal_frame(signal) + flow::input_end_frame();

    init::FrameParser parser;
    std::string data;
    std::vector<Kind> kinds;
    in_pieces(stream, 13, [&](std::string_view piece) {
        for (Event event = parser.next(piece); event.kind != Kind::more;
             event = parser.next(piece)) {
            if (event.kind == Kind::data) {
                data += event.bytes;
                continue;
            }
            claim(event.kind != Kind::broken, "the stream is accepted");
            kinds.push_back(event.kind);
            if (event.kind == Kind::exec) check_command(command, parser.take_exec());
            if (event.kind == Kind::signal) claim(event.signal == signal, "signal");
            if (event.kind != Kind::window) continue;
            claim(event.window.rows == size.rows && event.window.columns == size.cols, "size");
        }
    });
    claim(data == input, "input");
    claim(kinds == std::vector{Kind::exec, Kind::window, Kind::signal, Kind::end}, "all frames");
}

}  // namespace alca::fuzz
