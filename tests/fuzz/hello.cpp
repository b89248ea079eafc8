// What comes first on the socket of alca-init, from a client that may say anything.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/flow/frames.hpp"
#include "fuzz/support/target.hpp"
#include "helpers/alca-init/hello.hpp"

namespace alca::fuzz {

void one_input(std::string_view input) {
    if (input.size() < init::kFrameHeadBytes) return;
    const std::string head(input.substr(0, init::kFrameHeadBytes));
    input.remove_prefix(head.size());
    const std::size_t length = init::hello_length(head);
    claim(length <= init::kMaxHelloBytes, "a hello fits where it is put");
    if (length == 0 || input.size() < length) return;

    init::Hello hello;
    std::copy_n(input.begin(), length, hello.payload.begin());
    if (!init::parse_hello(length, hello)) return;
    claim(hello.nonce.size() == init::kNonceBytes, "nonce");
    const auto again = flow::hello_frame(hello.nonce, hello.user, hello.refused);
    claim(again && *again == head + std::string(input.substr(0, length)),
          "a hello that is accepted is one that `alca run` can say");

    std::string answer(init::welcome(hello).view());
    const auto welcome = flow::take_answer(answer);
    claim(welcome && welcome->type == flow::AnswerType::welcome &&
              welcome->payload == flow::welcome_payload(hello.nonce),
          "the welcome answers this hello");
}

}  // namespace alca::fuzz
