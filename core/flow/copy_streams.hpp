// core/flow/copy_streams.hpp - the two ends of a copy's stream, and the lines beside it.
#ifndef ALCA_CORE_FLOW_COPY_STREAMS_HPP
#define ALCA_CORE_FLOW_COPY_STREAMS_HPP

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/flow/copy_files.hpp"
#include "core/os/fd.hpp"
#include "helpers/shared/tree/entry.hpp"
#include "helpers/shared/tree/report.hpp"

namespace alca::flow {

// Reads what is there; once stop_fd is readable and nothing is there, that is the end. Descriptors
// are borrowed.
class WatchedSource final : public tree::ByteSource {
  public:
    WatchedSource(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
    ssize_t read(char* at, std::size_t count) override;

  private:
    int fd_;
    int stop_fd_;
};

// Writes, unless stop_fd (-1: never) is readable: then ECANCELED. Descriptors are borrowed.
class WatchedSink final : public tree::ByteSink {
  public:
    WatchedSink(int fd, int stop_fd);
    bool write(const char* data, std::size_t count) override;
    // errno of the first write that failed; 0: none did.
    [[nodiscard]] int error() const { return error_; }

  private:
    bool fail(int error);

    int fd_;
    int stop_fd_;
    std::size_t part_bytes_;
    int error_ = 0;
};

// Hands every line of what a sandbox writes to `tell`, printable and cut to a sensible length.
void read_lines(WatchedSource& source, const std::function<void(std::string_view)>& tell);

// Puts what a copy on this side tells into words. For one thread, but for fall_silent, tell_line.
class HostReport final : public tree::Report {
  public:
    explicit HostReport(CopyListener& listener) : listener_(listener) {}

    void failed(std::string_view path, std::string_view why) override;
    void skipped(std::string_view path) override;
    void lost_bits(std::string_view path) override;
    void leads_out(std::string_view path, std::string_view target) override;
    void copied_entry() override;
    void copied_bytes(std::size_t count) override;

    // Nothing is told any more: the user does not want the copy, and knows why it is not complete.
    void fall_silent() { is_silent_ = true; }
    // Something that the sandbox has to say.
    void tell_line(std::string_view line);
    // How many more links lead out than were named.
    void tell_rest();
    // What ended the copy, "" when an entry was named. Not told yet: the command inside may know
    // better.
    [[nodiscard]] const std::string& whole_failure() const { return whole_failure_; }

  private:
    CopyListener& listener_;
    std::string whole_failure_;
    std::atomic<bool> is_silent_ = false;
    bool has_lost_bits_ = false;
    std::uint64_t links_ = 0;
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace alca::flow

#endif
