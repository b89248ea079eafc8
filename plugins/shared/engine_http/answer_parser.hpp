// plugins/shared/engine_http/answer_parser.hpp - one HTTP/1.1 answer that comes in pieces.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_ANSWER_PARSER_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_ANSWER_PARSER_HPP

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "alca/result.hpp"

namespace alca::engine_http {

struct Response {
    unsigned status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

// Takes a piece of a body; an error ends the request with that error.
using BodySink = std::function<Result<void>(std::string_view piece)>;

// Does no input or output. What an answer means does not depend on how it was cut into pieces.
class AnswerParser {
  public:
    // sink: takes the body of a 2xx answer, without a limit of size; nullptr = it is kept.
    // Borrowed.
    explicit AnswerParser(const BodySink* sink);
    ~AnswerParser();
    AnswerParser(const AnswerParser&) = delete;
    AnswerParser& operator=(const AnswerParser&) = delete;

    void add(std::string_view bytes);
    // Both read what was added. False: more bytes are needed.
    // Errors: failed (not HTTP, a head of more than 64 KiB, more than 16 MiB to keep); the sink's.
    [[nodiscard]] Result<bool> read_head();
    [[nodiscard]] Result<bool> read_body();
    // The connection has ended. False: in the middle of the answer.
    [[nodiscard]] bool may_end_here();

    [[nodiscard]] bool has_head() const;
    // Of the head.
    [[nodiscard]] unsigned status() const;
    // The connection is at the start of the next answer.
    [[nodiscard]] bool may_reuse() const;
    // Both are for once, at the end.
    [[nodiscard]] Response take_response();
    // What was added and is no part of what was read.
    [[nodiscard]] std::string take_rest();

  private:
    struct Parser;  // keeps the library that does it out of this header
    std::unique_ptr<Parser> parser_;
};

}  // namespace alca::engine_http

#endif
