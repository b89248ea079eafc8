// core/flow/copy_files.hpp - what `alca cp` means: a tree as a tar stream through a command inside.
//
// The command is alca-init itself, run as any other: the same checks, rules and user. What comes
// out is not trusted, whoever sent it; helpers/shared/tree says what is taken from it.
#ifndef ALCA_CORE_FLOW_COPY_FILES_HPP
#define ALCA_CORE_FLOW_COPY_FILES_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/run.hpp"

namespace alca::flow {

struct CopyRequest {
    std::string host;                   // a path, or "-": a tar stream at `in` or `out`
    std::string inside;                 // a path; relative to what matches caller_directory
    bool follow_link = false;           // when the source itself is a link
    std::string user = {};              // as RunRequest
    fs::path caller_directory = {};     // absolute; what `host` is relative to
    std::vector<fs::path> shared = {};  // directories of the host that the sandbox can write
    int in = -1;                        // borrowed
    int out = -1;
    int cancel_fd = -1;
};

// What a copy tells, from several threads at once. Text is printable.
class CopyListener {
  public:
    virtual ~CopyListener() = default;
    virtual void problem(std::string_view text) = 0;  // something was not copied
    virtual void note(std::string_view text) = 0;     // something was copied, but should be known
    virtual void progress(std::uint64_t files, std::uint64_t bytes) = 0;

  protected:
    CopyListener() = default;
    CopyListener(const CopyListener&) = default;
    CopyListener& operator=(const CopyListener&) = default;
};

// Runs a command inside to its end: flow::run, or run_without_engine before it.
using Runner = std::function<Result<int>(RunRequest, const CommandIo&)>;

// The first follows each rule of `cp -r`: into the place if it is a directory, else as it.
// True: all was copied. False: the listener was told what was not.
// Errors: invalid (a path that cannot be copied), those of opening host paths, and of the runner.
[[nodiscard]] Result<bool> copy_into_sandbox(const CopyRequest& request, const Runner& runner,
                                             CopyListener& listener);
[[nodiscard]] Result<bool> copy_out_of_sandbox(const CopyRequest& request, const Runner& runner,
                                               CopyListener& listener);

// What a source is called where it arrives: its last name; "." for "DIRECTORY/.", "/" and "",
// whose content is copied. Errors: invalid (it ends in "..").
[[nodiscard]] Result<std::string> copied_name(std::string_view path);

}  // namespace alca::flow

#endif
