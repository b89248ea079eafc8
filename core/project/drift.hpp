// core/project/drift.hpp - what changed in the configuration since the sandbox was made.
#ifndef ALCA_CORE_PROJECT_DRIFT_HPP
#define ALCA_CORE_PROJECT_DRIFT_HPP

#include <string>
#include <vector>

#include "alca/json.hpp"

namespace alca::project {

// One change that only a rebuild brings into the sandbox.
struct Change {
    std::string key;        // "Image", "Commands.up"
    std::string old_value;  // "" when values are not shown (long, or secret)
    std::string new_value;
    friend bool operator==(const Change&, const Change&) = default;
};

// Both are config::applied_form; `applied` null (nothing was applied) has no drift. commands.enter,
// commands.aliases and lan-access change nothing that was made, so they do not count; nor does what
// a ${...} comes out as. A literal value that became a ${...} counts, and the other way round.
[[nodiscard]] std::vector<Change> drift(const Json& applied, const Json& wanted);

// "Image: debian:11 → debian:12" or "Mounts: changed".
[[nodiscard]] std::string to_line(const Change& change);

}  // namespace alca::project

#endif
