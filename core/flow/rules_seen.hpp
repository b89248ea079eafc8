// core/flow/rules_seen.hpp - a note that the host's rules were read and found right, valid while
// nobody changes any rule and the same rules are asked for: docs/adr/0014.
#ifndef ALCA_CORE_FLOW_RULES_SEEN_HPP
#define ALCA_CORE_FLOW_RULES_SEEN_HPP

#include <string>

#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What the note says now, of the rules that `state` asks for; to be taken before they are read.
// Errors: denied (this user may not ask the kernel whether rules have changed); failed.
[[nodiscard]] Result<std::string> rules_stamp(const project::State& state);

// Keeps it; a failure only makes the next look slower.
void note_rules_seen(const Host& host, const project::State& state, const std::string& stamp);
[[nodiscard]] bool were_rules_seen(const Host& host, const project::State& state,
                                   const std::string& stamp);
void forget_rules_seen(const Host& host, const project::State& state);

}  // namespace alca::flow

#endif
