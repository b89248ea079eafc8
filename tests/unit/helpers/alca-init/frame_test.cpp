#include "helpers/alca-init/frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "frames.hpp"

namespace alca::init {
namespace {

using testing::data_frame;
using testing::end_frame;
using testing::exec_frame;
using testing::frame;
using testing::little_endian;
using testing::signal_frame;
using testing::window_frame;
using Kind = Event::Kind;

// What a stream amounts to, however it is cut.
struct Summary {
    std::string data;
    std::vector<Kind> others;
    std::string reason;

    bool operator==(const Summary&) const = default;
};

// Feeds `stream` in pieces whose sizes `next_size` gives.
template <typename NextSize>
Summary parse(const std::string& stream, NextSize next_size) {
    FrameParser parser;
    Summary summary;
    std::string_view rest = stream;
    while (!rest.empty()) {
        // A copy of its own, so that a read outside the piece is found.
        const std::string piece(rest.substr(0, next_size()));
        rest.remove_prefix(piece.size());
        std::string_view input = piece;
        for (Event event = parser.next(input); event.kind != Kind::more;
             event = parser.next(input)) {
            if (event.kind == Kind::data) {
                summary.data += event.bytes;
                continue;
            }
            summary.others.push_back(event.kind);
            if (event.kind != Kind::broken) continue;
            summary.reason = event.reason;
            return summary;
        }
        EXPECT_TRUE(input.empty());
    }
    return summary;
}

Summary parse_whole(const std::string& stream) {
    return parse(stream, [&] { return stream.size(); });
}

std::string good_stream() {
    return exec_frame({.arguments = {"cat"}}) + data_frame("hello ") + data_frame("") +
           window_frame(3, 4) + data_frame("world") + signal_frame(15) + end_frame() +
           signal_frame(1);
}

TEST(FrameTest, EveryFrameBecomesItsEvent) {
    const Summary summary = parse_whole(good_stream());
    EXPECT_EQ(summary.data, "hello world");
    EXPECT_EQ(summary.others,
              (std::vector<Kind>{Kind::exec, Kind::window, Kind::signal, Kind::end, Kind::signal}));
}

TEST(FrameTest, CutOfTheStreamDoesNotMatter) {
    const Summary expected = parse_whole(good_stream());
    for (std::size_t size = 1; size < 40; ++size)
        EXPECT_EQ(parse(good_stream(), [=] { return size; }), expected) << "pieces of " << size;
}

TEST(FrameTest, ValuesAreLittleEndian) {
    FrameParser parser;
    const std::string stream =
        exec_frame({.arguments = {}}) + window_frame(258, 772) + signal_frame(31);
    std::string_view input = stream;
    EXPECT_EQ(parser.next(input).kind, Kind::exec);
    const Event window = parser.next(input);
    EXPECT_EQ(window.window.rows, 258);
    EXPECT_EQ(window.window.columns, 772);
    EXPECT_EQ(parser.next(input).signal, 31);
}

TEST(FrameTest, ExecPayloadIsKeptExactly) {
    const std::string payload = testing::exec_payload({.arguments = {"a\xff", "\x01"}});
    const std::string stream = frame(1, payload);
    FrameParser parser;
    std::string_view input = stream;
    ASSERT_EQ(parser.next(input).kind, Kind::exec);
    EXPECT_EQ(parser.take_exec().view(), payload);
}

std::string head(std::uint8_t type, std::uint32_t size) {
    return std::string{static_cast<char>(type), 0, 0, 0} + little_endian(size, 4);
}

TEST(FrameTest, BrokenStreamsAreRefusedWithTheReason) {
    const std::string exec = exec_frame({.arguments = {"cat"}});
    const std::vector<std::pair<std::string, std::string>> cases = {
        {data_frame("x"), "the first frame is not exec"},
        {end_frame(), "the first frame is not exec"},
        {signal_frame(1), "the first frame is not exec"},
        {window_frame(1, 1), "the first frame is not exec"},
        {head(0, 0), "the first frame is not exec"},
        {head(1, (4U << 20U) + 1), "exec frame is larger than 4 MiB"},
        {head(1, 0xffffffff), "exec frame is larger than 4 MiB"},
        {std::string("\1\0\0\1\0\0\0\0", 8), "reserved bytes of a frame are not zero"},
        {std::string("\1\1\0\0\0\0\0\0", 8), "reserved bytes of a frame are not zero"},
        {exec + exec, "second exec frame"},
        {exec + head(2, (64U << 10U) + 1), "stdin frame is larger than 64 KiB"},
        {exec + end_frame() + data_frame("x"), "stdin data after its end"},
        {exec + end_frame() + end_frame(), "second end of stdin"},
        {exec + frame(3, "x"), "end frame has a payload"},
        {exec + frame(4, "abc"), "signal frame has a wrong size"},
        {exec + frame(4, "abcde"), "signal frame has a wrong size"},
        {exec + signal_frame(0), "signal is not in 1..31"},
        {exec + signal_frame(32), "signal is not in 1..31"},
        {exec + signal_frame(0xffffffff), "signal is not in 1..31"},
        {exec + frame(5, "abc"), "window frame has a wrong size"},
        {exec + head(6, 0), "unknown frame type"},
        {exec + head(255, 0), "unknown frame type"},
    };
    for (const auto& [stream, reason] : cases) EXPECT_EQ(parse_whole(stream).reason, reason);
}

TEST(FrameTest, StaysBroken) {
    FrameParser parser;
    const std::string broken = head(9, 0);
    std::string_view input = broken;
    ASSERT_EQ(parser.next(input).kind, Kind::broken);
    const std::string good = good_stream();
    input = good;
    EXPECT_EQ(parser.next(input).kind, Kind::broken);
}

TEST(FrameTest, LargestFramesPass) {
    const std::string data(std::size_t{64} << 10, 'd');
    const std::string exec(std::size_t{4} << 20, 'e');
    const Summary summary = parse_whole(frame(1, exec) + data_frame(data));
    EXPECT_EQ(summary.data, data);
    EXPECT_EQ(summary.others, std::vector<Kind>{Kind::exec});
}

}  // namespace
}  // namespace alca::init
