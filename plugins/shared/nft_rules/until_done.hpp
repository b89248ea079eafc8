// nft_rules/until_done.hpp - does a change again until nobody else came in between.
#ifndef ALCA_NFT_RULES_UNTIL_DONE_HPP
#define ALCA_NFT_RULES_UNTIL_DONE_HPP

#include <chrono>
#include <thread>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// Runs `attempt`, which returns Result<Commit>, until it has done its work on one generation of the
// ruleset.
template <class Attempt>
Result<void> until_done(const Call& call, Attempt attempt) {
    // Everybody who loses a round lets another one win it, so this many rounds are lost only where
    // something changes rules without end.
    constexpr int kAttempts = 500;
    constexpr int kAttemptsWithoutPause = 5;
    constexpr std::chrono::microseconds kPause{200};
    for (int i = 0; i < kAttempts; ++i) {
        if (call.cancelled()) return fail(Code::cancelled, "interrupted");
        const Result<Commit> result = attempt();
        if (!result) return fail(result.error());
        if (*result == Commit::done) return {};
        if (i >= kAttemptsWithoutPause) std::this_thread::sleep_for(kPause);
    }
    return fail(
        "another program keeps changing the firewall rules; try again when it has finished");
}

}  // namespace alca::nft

#endif
