#pragma once

#include <string_view>

#include "helpers/shared/tree/beneath.hpp"
#include "helpers/shared/tree/report.hpp"
#include "helpers/shared/tree/tar_writer.hpp"

namespace alca::tree {

struct PackRequest {
    int directory = -1;             // may be AT_FDCWD
    const char* path = nullptr;     // in it: what is packed
    Reach reach = Reach::anywhere;  // of `path`; below it no link is ever followed
    bool follow_link = false;       // when `path` itself is a link
    std::string_view name = {};     // what it is called in the stream; "." for a directory
};

// Writes a file, a link or a directory with all below it. Special files are left out, hard links
// become copies. A file that shrinks meanwhile is filled with zeros and told.
// The stream is completed unless the outcome is `broken`.
[[nodiscard]] Outcome pack(const PackRequest& request, TarWriter& writer, Report& report);

}  // namespace alca::tree
