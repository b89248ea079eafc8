#include "core/flow/approve.hpp"

#include <fmt/format.h>

#include "core/config/powers.hpp"

namespace alca::flow {

Result<void> approve(const Context& context, const config::Config& config, bool trusted,
                     project::State& state) {
    const auto wanted = config::powers(config);
    const auto fresh = config::unapproved(wanted, state.approved_powers);
    if (!fresh.empty() && !trusted) {
        context.ui.warn(fmt::format("{} gives the sandbox powers that you have not approved:",
                                    config.file.string()));
        for (const config::Power& power : fresh) {
            context.ui.warn(fmt::format("  - {}", power.text));
        }
        const auto answer = context.ui.confirm("Approve these powers for this project?");
        if (!answer) {
            return fail(Code::denied,
                        "powers need your approval and there is no terminal to ask on; read the "
                        "list above, then run: alca up --trust (or set ALCA_TRUST=1)");
        }
        if (!*answer) return fail(Code::denied, "powers were not approved; nothing was started");
    }
    state.approved_powers.clear();
    for (const config::Power& power : wanted) state.approved_powers.push_back(power.id);
    return {};
}

}  // namespace alca::flow
