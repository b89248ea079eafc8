// core/flow/approve.hpp - powers need a person's word.
#ifndef ALCA_CORE_FLOW_APPROVE_HPP
#define ALCA_CORE_FLOW_APPROVE_HPP

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// Compares what the configuration asks for with what was approved before (in `state`, which no
// sandbox can write). New powers are listed in plain words and asked for on the terminal.
// `trusted`: the caller said yes beforehand. On success state.approved_powers holds them; the
// caller saves it. Errors: denied (no, or no terminal to ask on).
[[nodiscard]] Result<void> approve(const Context& context, const config::Config& config,
                                   bool trusted, project::State& state);

}  // namespace alca::flow

#endif
