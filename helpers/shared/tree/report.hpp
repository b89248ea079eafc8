#pragma once

#include <cstddef>
#include <string_view>

namespace alca::tree {

// What a copy tells while it goes on. Paths are raw bytes that the other side may have chosen; they
// are borrowed. None of these functions is pure: that would need the C++ library's run time.
class Report {
  public:
    // `path` was not copied; the copy goes on unless the outcome says otherwise. "": the whole.
    virtual void failed(std::string_view /*path*/, std::string_view /*why*/) {}
    // Not a file, a directory or a link; left out.
    virtual void skipped(std::string_view /*path*/) {}
    // Copied without its set-user-ID, set-group-ID or sticky bit.
    virtual void lost_bits(std::string_view /*path*/) {}
    // A link that was copied and leads out of the tree.
    virtual void leads_out(std::string_view /*path*/, std::string_view /*target*/) {}
    virtual void copied_entry() {}
    virtual void copied_bytes(std::size_t /*count*/) {}

  protected:
    Report() = default;
    Report(const Report&) = default;
    Report& operator=(const Report&) = default;
    ~Report() = default;
};

enum class Outcome {
    all,
    some,    // what is missing was told by failed()
    broken,  // it ended early; failed() said why
};

}  // namespace alca::tree
