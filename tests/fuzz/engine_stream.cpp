// What an engine sends after the head of an answer: frames of a command's output, or the lines of a
// pull.
#include <algorithm>
#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "fuzz/support/target.hpp"
#include "plugins/shared/engine_http/demux.hpp"
#include "plugins/shared/engine_http/json_lines.hpp"
#include "plugins/shared/engine_http/pull.hpp"

namespace alca::fuzz {
namespace {

class QuietCall final : public Call {
  public:
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(LogLevel /*level*/, std::string_view /*line*/) const override {}
    void progress(const Progress& progress) const override {
        claim(progress.done <= progress.total || progress.total == 0, "not more than all is done");
    }
};

struct Output {
    std::string out;
    std::string err;
    bool is_broken = false;
    bool is_between_frames = false;
    bool operator==(const Output&) const = default;
};

Output demultiplex(std::string_view stream, std::size_t size) {
    engine_http::Demux demux;
    Output output;
    in_pieces(stream, size, [&](std::string_view piece) {
        while (!output.is_broken) {
            const auto payload = demux.next(piece);
            output.is_broken = !payload;
            if (!payload || payload->bytes.empty()) break;
            const bool is_error = payload->channel == engine_http::Channel::err;
            (is_error ? output.err : output.out) += payload->bytes;
        }
    });
    output.is_between_frames = !output.is_broken && demux.is_between_frames();
    return output;
}

struct Lines {
    std::string text;
    bool is_broken = false;
    bool operator==(const Lines&) const = default;
};

Lines read_lines(std::string_view stream, std::size_t size) {
    const QuietCall call;
    engine_http::PullProgress progress(call, "debian:12");
    Lines lines;
    engine_http::JsonLines reader([&](const Json& line) {
        lines.text += dump(line) + "\n";
        return progress.take(line);
    });
    in_pieces(stream, size, [&](std::string_view piece) {
        if (!lines.is_broken) lines.is_broken = !reader.feed(piece);
    });
    if (!lines.is_broken) lines.is_broken = !reader.finish();
    if (!lines.is_broken) progress.finish();
    return lines;
}

}  // namespace

void one_input(std::string_view input) {
    const Output output = demultiplex(input, input.size());
    claim(demultiplex(input, 1) == output, "bytes one by one are the same output");
    claim(demultiplex(input, 7) == output, "pieces are the same output");
    claim(output.out.size() + output.err.size() <= input.size(), "nothing is added to the output");
    const Lines lines = read_lines(input, input.size());
    claim(read_lines(input, 1) == lines, "bytes one by one are the same lines");
    claim(read_lines(input, 7) == lines, "pieces are the same lines");
}

}  // namespace alca::fuzz
