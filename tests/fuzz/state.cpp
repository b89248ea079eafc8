// The state file: what is accepted is written again as it was read.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/project/state.hpp"
#include "fuzz/support/target.hpp"

namespace alca::fuzz {
namespace {

// What `read` says, `written` says too; a member may be missing in either.
bool agrees(const Json& written, const Json& read) {
    if (read.is_null()) return true;
    if (written.is_array()) {
        return std::equal(written.begin(), written.end(), read.begin(), read.end(), agrees);
    }
    if (!written.is_object()) return written == read;
    for (const auto& [name, value] : written.items()) {
        if (read.contains(name) && !agrees(value, read[name])) return false;
    }
    return true;
}

}  // namespace

void one_input(std::string_view input) {
    const auto json = parse_object(input);
    if (!json) return;
    const auto state = project::state_from_json(*json);
    if (!state) return;
    claim(state->directory.path.is_absolute(), "the project's path is absolute");
    claim(project::interface_name(state->project_id).size() == 15 &&
              is_printable(project::sandbox_name(state->project_id)),
          "names for the kernel and the engine");
    const Json written = project::to_json(*state);
    claim(agrees(written, *json), "what was read is what is written");
    const auto again = parse_object(dump(written));
    claim(again.has_value(), "what is written can be read");
    const auto reread = project::state_from_json(*again);
    claim(reread && project::to_json(*reread) == *again, "and means the same");
}

}  // namespace alca::fuzz
