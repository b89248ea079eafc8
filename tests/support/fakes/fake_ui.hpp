// The person: remembers what was said, answers questions as the test decided.
#ifndef ALCA_TESTS_SUPPORT_FAKES_FAKE_UI_HPP
#define ALCA_TESTS_SUPPORT_FAKES_FAKE_UI_HPP

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/ui.hpp"

namespace alca::fakes {

class FakeUi final : public flow::Ui {
  public:
    // nullopt: there is no terminal.
    std::optional<bool> answer;
    // -q: only warnings are kept, as on a console.
    bool quiet = false;

    std::vector<std::string> said;  // steps, successes and notices
    std::vector<std::string> warnings;
    std::vector<std::string> questions;

    void step(std::string_view text) override { say(text); }
    void success(std::string_view text) override { say(text); }
    void notice(std::string_view text) override { say(text); }
    void warn(std::string_view text) override { warnings.emplace_back(text); }
    [[nodiscard]] std::optional<bool> confirm(std::string_view question) override {
        questions.emplace_back(question);
        return answer;
    }

    [[nodiscard]] bool has_said(std::string_view part) const { return any_has(said, part); }
    [[nodiscard]] bool has_warned(std::string_view part) const { return any_has(warnings, part); }
    void forget() {
        said.clear();
        warnings.clear();
        questions.clear();
    }

  private:
    void say(std::string_view text) {
        if (!quiet) said.emplace_back(text);
    }
    static bool any_has(const std::vector<std::string>& lines, std::string_view part) {
        return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }
};

}  // namespace alca::fakes

#endif
