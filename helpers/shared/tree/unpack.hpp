#pragma once

#include <string_view>

#include "helpers/shared/tree/entry_sink.hpp"
#include "helpers/shared/tree/report.hpp"

namespace alca::tree {

struct UnpackRequest {
    std::string_view name =
        {};  // the top of the stream; nothing but it and what is below it is taken.
             // ".": whatever has a relative path
    std::string_view top = {};       // what the sink gets in its place; "" for nothing in front
    bool must_be_directory = false;  // the top
    bool takes_hard_links = false;
};

// Hands each entry of a stream on, after looking at its name. The stream may be hostile: an
// absolute name, "..", a name outside, a device are refused, each told by its name.
[[nodiscard]] Outcome unpack(ByteSource& source, const UnpackRequest& request, EntrySink& sink,
                             Report& report);

}  // namespace alca::tree
