// core/flow/rules_seen.hpp - a note that the host's rules were read and found right, valid until
// anybody changes any rule, or the state they were compared with: docs/adr/0014.
#ifndef ALCA_CORE_FLOW_RULES_SEEN_HPP
#define ALCA_CORE_FLOW_RULES_SEEN_HPP

#include <optional>
#include <string>

#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What the note says now; to be taken before the rules are read. Nothing where the kernel does not
// say whether rules have changed.
[[nodiscard]] std::optional<std::string> rules_stamp(const project::Store& store,
                                                     const project::State& state);

// Keeps it; a failure only makes the next look slower.
void note_rules_seen(const Host& host, const project::State& state, const std::string& stamp);
[[nodiscard]] bool were_rules_seen(const Host& host, const project::State& state,
                                   const std::string& stamp);

}  // namespace alca::flow

#endif
