// What the fakes were asked, in order, and where one of those calls goes wrong.
#ifndef ALCA_TESTS_SUPPORT_FAKES_JOURNAL_HPP
#define ALCA_TESTS_SUPPORT_FAKES_JOURNAL_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alca/call.hpp"
#include "alca/result.hpp"

namespace alca::fakes {

// Something that happens at one call. With `error` the call answers it: without having had an
// effect, or, with `after`, although it had.
struct Fault {
    std::size_t at = 0;  // index into the entries of the journal
    bool after = false;
    std::optional<Error> error;
    std::function<void()> action;
};

// Shared by FakeRuntime and FakeFirewall, so that the order among both is seen.
class Journal {
  public:
    void plan(Fault fault) { fault_ = std::move(fault); }
    void forget() {
        entries_.clear();
        fault_.reset();
    }
    [[nodiscard]] const std::vector<std::string>& entries() const { return entries_; }
    [[nodiscard]] bool has(std::string_view entry) const {
        return std::find(entries_.begin(), entries_.end(), entry) != entries_.end();
    }

    // Writes `entry` down and does `effect`, unless the call was cancelled or is to fail. A fake
    // honours cancellation at its entrance only: what it has begun it finishes.
    template <class Effect>
    auto perform(const Call& call, std::string entry, Effect effect) -> decltype(effect()) {
        const std::size_t index = entries_.size();
        entries_.push_back(std::move(entry));
        const bool here = fault_ && fault_->at == index;
        if (here && !fault_->after && fault_->action) fault_->action();
        if (call.cancelled()) return fail(Code::cancelled, "cancelled");
        if (here && !fault_->after && fault_->error) return fail(*fault_->error);
        auto result = effect();
        if (here && fault_->after && fault_->action) fault_->action();
        if (here && fault_->after && fault_->error) return fail(*fault_->error);
        return result;
    }

  private:
    std::vector<std::string> entries_;
    std::optional<Fault> fault_;
};

}  // namespace alca::fakes

#endif
