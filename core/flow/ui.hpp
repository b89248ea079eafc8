// core/flow/ui.hpp - what a use case says to the person, and asks.
#ifndef ALCA_CORE_FLOW_UI_HPP
#define ALCA_CORE_FLOW_UI_HPP

#include <optional>
#include <string_view>

namespace alca::flow {

class Ui {
  public:
    virtual ~Ui() = default;

    virtual void step(std::string_view text) = 0;     // "→ text" on stdout; hidden by -q
    virtual void success(std::string_view text) = 0;  // "✓ text" on stdout; hidden by -q
    virtual void notice(std::string_view text) = 0;   // a line on stdout; hidden by -q
    // About safety or something that needs a hand: a line on stderr, never hidden.
    virtual void warn(std::string_view text) = 0;
    // Asks on the terminal, "question [y/N]". nullopt: there is no terminal to ask on.
    [[nodiscard]] virtual std::optional<bool> confirm(std::string_view question) = 0;

  protected:
    Ui() = default;
    Ui(const Ui&) = default;
    Ui& operator=(const Ui&) = default;
};

}  // namespace alca::flow

#endif
