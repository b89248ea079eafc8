// What `alca-init verify` prints in a sandbox that is as it must be; tests then spoil a line.
#ifndef ALCA_TESTS_SUPPORT_FAKES_INSIDE_REPORT_HPP
#define ALCA_TESTS_SUPPORT_FAKES_INSIDE_REPORT_HPP

#include <string>
#include <string_view>
#include <vector>

#include "alca/runtime.hpp"

namespace alca::fakes {

class InsideReport {
  public:
    // probes: the addresses that were asked for. isolated: the kernel prohibits all of them.
    InsideReport(const SandboxSpec& spec, const std::vector<std::string>& probes, bool isolated);

    void add(std::string line) { lines_.push_back(std::move(line)); }
    // Replaces each line that begins with `beginning`; an empty `line` takes it away. False: there
    // was none, and so the test would prove nothing.
    [[nodiscard]] bool replace(std::string_view beginning, const std::string& line);
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::string> lines_;
};

// A line of mountinfo for a mount at `target`, which is written as the kernel writes it.
[[nodiscard]] std::string mount_line(std::string_view target, bool read_only);

}  // namespace alca::fakes

#endif
