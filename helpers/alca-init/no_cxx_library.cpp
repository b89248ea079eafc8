// What the C++ headers call when a program breaks their rules. The C++ library's own versions would
// bring in its exceptions and text output, five times the size of everything else here; these say
// so and stop.

#include <cstdlib>
#include <string_view>

#include "text.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier,bugprone-std-namespace-modification): the headers demand
// these names
namespace std {

void __throw_out_of_range_fmt(const char* format, ...) {
    alca::init::complain("alca-init", {"bug: ", format});
    std::abort();
}

#ifdef _GLIBCXX_ASSERTIONS
void __glibcxx_assert_fail(const char* /*file*/, int /*line*/, const char* function,
                           const char* condition) noexcept {
    alca::init::complain("alca-init", {"bug: ", function, ": ", condition});
    std::abort();
}
#endif

}  // namespace std
// NOLINTEND(bugprone-reserved-identifier,bugprone-std-namespace-modification)
