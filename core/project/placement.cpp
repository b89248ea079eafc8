#include <fmt/format.h>

#include "core/project/state.hpp"

namespace alca::project {

Result<Placement> Store::place(const Directory& directory) const {
    auto here = load(directory.path);
    if (!here) return fail(here.error());
    Placement placement;
    if (std::optional<State>& state = *here; state.has_value()) {
        // The inode alone: some file systems get another device number with every mount.
        const bool same = state->directory.inode == directory.inode;
        if (same || state->phase != Phase::absent) {
            placement.kind = same ? Placement::Kind::same : Placement::Kind::replaced;
            placement.state = std::move(state);
            return placement;
        }
    }
    auto listing = list();
    if (!listing) return fail(listing.error());
    for (State& state : listing->states) {
        // Without a sandbox there is nothing to take down under the old path.
        if (state.phase == Phase::absent) continue;
        const Directory& then = state.directory;
        if (then.device != directory.device || then.inode != directory.inode) continue;
        // The directory may be reachable under both names (a bind mount): then it has not moved.
        const auto now = look_at(then.path);
        if (now && now->device == then.device && now->inode == then.inode) continue;
        placement.kind = Placement::Kind::moved;
        placement.from = then.path;
        placement.state = std::move(state);
        return placement;
    }
    return placement;
}

Error misplaced(const Placement& placement, const Directory& directory) {
    if (placement.kind == Placement::Kind::moved) {
        return {Code::invalid,
                fmt::format("project path mismatch: project directory has moved from {} to {}; run "
                            "'alca down', then 'alca up'",
                            placement.from.string(), directory.path.string())};
    }
    return {Code::invalid,
            fmt::format("project path mismatch: {} is another directory than the one its sandbox "
                        "was made for (deleted and made again, or copied); run 'alca down', then "
                        "'alca up'",
                        directory.path.string())};
}

}  // namespace alca::project
