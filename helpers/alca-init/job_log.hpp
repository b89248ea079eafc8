#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bytes.hpp"
#include "fd.hpp"
#include "text.hpp"

namespace alca::init {

// The last 4 to 8 MiB of a job's output, in NAME.log and what was NAME.log before: a server that
// runs for weeks must not fill the disk.
class JobLog {
  public:
    // jobs: borrowed for the log's life.
    JobLog(int jobs, std::string_view name) : jobs_(jobs) { name_.set({name}); }

    // Before the first write; nothing of an earlier job stays. False: errno says why.
    [[nodiscard]] bool create();
    // What cannot be written (a full disk) is lost: the job goes on.
    void write(std::string_view bytes);

  private:
    static constexpr std::size_t kMaxBytes = std::size_t{4} << 20;

    int jobs_;
    Text name_;
    Fd file_;
    std::size_t size_ = 0;
};

// Writes the log of job `name` to stdout: the last `lines` of it, or all; then, to follow it, what
// comes, until the job has ended. False: `fault` says why.
struct LogWish {
    static constexpr std::uint64_t kAll = ~std::uint64_t{0};
    std::uint64_t lines = kAll;
    bool follow = false;
};
[[nodiscard]] bool print_log(int jobs, std::string_view name, const LogWish& wish, Text& fault);

// The last `lines` lines of `text`; a last one without its newline counts.
[[nodiscard]] std::string_view last_lines(std::string_view text, std::uint64_t lines);

}  // namespace alca::init
