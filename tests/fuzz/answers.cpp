// What alca-init answers on its socket, from a sandbox that may answer anything.
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/frames.hpp"
#include "fuzz/support/target.hpp"
#include "helpers/alca-init/hello.hpp"

namespace alca::fuzz {
namespace {

using flow::Answer;
using flow::AnswerType;

// Up to the first answer that ends the conversation.
std::vector<Answer> take_all(std::string_view stream, std::size_t size) {
    std::vector<Answer> answers;
    std::string kept;
    in_pieces(stream, size, [&](std::string_view piece) {
        if (!answers.empty() && answers.back().type == AnswerType::unknown) return;
        kept += piece;
        while (auto answer = flow::take_answer(kept)) {
            claim(answer->payload.size() < flow::kMaxAnswerBytes, "an answer is small");
            claim(answer->exit_code >= 0 && answer->exit_code <= 255, "exit code 0..255");
            answers.push_back(std::move(*answer));
            if (answers.back().type == AnswerType::unknown) return;
        }
        claim(kept.size() < flow::kMaxAnswerBytes, "no more than one answer is waited for");
    });
    return answers;
}

bool are_same(const std::vector<Answer>& left, const std::vector<Answer>& right) {
    return std::equal(
        left.begin(), left.end(), right.begin(), right.end(), [](const Answer& a, const Answer& b) {
            return a.type == b.type && a.payload == b.payload && a.exit_code == b.exit_code;
        });
}

// What alca-init puts in, `alca run` takes out.
void check_both_sides(std::string_view text) {
    std::string stream(init::decline(text).view());
    std::string_view code = text;
    const int exit_code = take_byte(code);
    stream += init::exit_code_frame(exit_code).view();
    const auto declined = flow::take_answer(stream);
    claim(declined && declined->type == AnswerType::decline &&
              declined->payload == text.substr(0, 248),
          "a reason arrives, as far as it fits");
    const auto ended = flow::take_answer(stream);
    claim(ended && ended->type == AnswerType::exit && ended->exit_code == exit_code,
          "an exit code arrives");
    claim(stream.empty(), "nothing is left");
}

}  // namespace

void one_input(std::string_view input) {
    const std::vector<Answer> whole = take_all(input, input.size());
    claim(are_same(take_all(input, 1), whole), "bytes one by one mean the same");
    claim(are_same(take_all(input, 5), whole), "pieces mean the same");
    for (const Answer& answer : whole) {
        const std::string shown = flow::printable(answer.payload);
        claim(shown.size() == answer.payload.size() && is_printable(shown), "printable");
    }
    check_both_sides(input);
}

}  // namespace alca::fuzz
