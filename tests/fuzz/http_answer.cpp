// An engine's HTTP answer. The first byte chooses: a sink for the body, an upgrade.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/support/target.hpp"
#include "plugins/shared/engine_http/answer_parser.hpp"

namespace alca::fuzz {
namespace {

using engine_http::AnswerParser;
using engine_http::BodySink;

struct Way {
    bool has_sink = false;
    bool is_upgrade = false;
};

struct Summary {
    engine_http::Response response;
    std::string sunk;
    std::string rest;
    bool may_reuse = false;

    bool operator==(const Summary& other) const {
        return response.status == other.response.status &&
               response.headers == other.response.headers && response.body == other.response.body &&
               sunk == other.sunk && rest == other.rest && may_reuse == other.may_reuse;
    }
};

// nullopt: no valid answer. When that is found does depend on the pieces.
std::optional<Summary> parse(std::string_view stream, std::size_t size, Way way) {
    Summary summary;
    const BodySink sink = [&summary](std::string_view piece) {
        summary.sunk += piece;
        return Result<void>();
    };
    AnswerParser parser(way.has_sink ? &sink : nullptr);
    bool is_broken = false;
    bool is_done = false;
    in_pieces(stream, size, [&](std::string_view piece) {
        if (is_broken) return;
        parser.add(piece);
        if (is_done) return;
        auto read = parser.read_head();
        if (read && *read && !way.is_upgrade) read = parser.read_body();
        is_broken = !read;
        is_done = read && *read;
    });
    if (is_broken || !(is_done || parser.may_end_here())) return std::nullopt;
    summary.may_reuse = parser.may_reuse();
    summary.response = parser.take_response();
    summary.rest = parser.take_rest();
    return summary;
}

}  // namespace

void one_input(std::string_view input) {
    const unsigned choice = take_byte(input);
    const Way way{.has_sink = choice % 2 == 1, .is_upgrade = choice / 2 % 2 == 1};
    const auto whole = parse(input, input.size(), way);
    claim(parse(input, 1, way) == whole, "bytes one by one mean the same");
    claim(parse(input, 11, way) == whole, "pieces mean the same");
    if (!whole) return;
    claim(whole->response.body.size() + whole->sunk.size() + whole->rest.size() <= input.size(),
          "no byte is there twice");
    claim(whole->sunk.empty() || whole->response.body.empty(), "a body goes to one place");
}

}  // namespace alca::fuzz
