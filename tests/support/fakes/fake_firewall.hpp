// A firewall whose kernel is a map. Tests read and edit the rules directly.
#ifndef ALCA_TESTS_SUPPORT_FAKES_FAKE_FIREWALL_HPP
#define ALCA_TESTS_SUPPORT_FAKES_FAKE_FIREWALL_HPP

#include <map>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "tests/support/fakes/journal.hpp"

namespace alca::fakes {

class FakeFirewall final : public Firewall {
  public:
    explicit FakeFirewall(Journal& journal) : journal_(journal) {}

    // What probe answers.
    FirewallProbe probe_answer{
        .available = true, .needs_root = false, .layer = "fake rules", .reason = ""};
    // interface -> what holds it.
    std::map<std::string, FirewallRequest> rules;
    // apply succeeds but the kernel holds nothing.
    bool forgets = false;

    [[nodiscard]] bool isolates(const std::string& interface) const {
        const auto found = rules.find(interface);
        return found != rules.end() && found->second.policy == NetworkPolicy::internet;
    }

    [[nodiscard]] Result<FirewallProbe> probe(const Call& call) override {
        return journal_.perform(call, "firewall.probe",
                                [&]() -> Result<FirewallProbe> { return probe_answer; });
    }
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request) override {
        return journal_.perform(call, "firewall.apply", [&]() -> Result<void> {
            if (!forgets) rules.insert_or_assign(request.interface, request);
            return {};
        });
    }
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override {
        return journal_.perform(call, "firewall.verify", [&]() -> Result<FirewallVerdict> {
            const auto found = rules.find(request.interface);
            if (found == rules.end()) return FirewallVerdict{false, "the interface is unknown"};
            const FirewallRequest& held = found->second;
            if (held.policy != request.policy || held.dns != request.dns ||
                held.allow != request.allow || held.proxy != request.proxy ||
                held.limits != request.limits || held.sandbox_id != request.sandbox_id) {
                return FirewallVerdict{false, "the rules differ"};
            }
            return FirewallVerdict{true, ""};
        });
    }
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override {
        return journal_.perform(call, "firewall.remove", [&]() -> Result<void> {
            rules.erase(request.interface);
            return {};
        });
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const Call& call) override {
        return journal_.perform(call, "firewall.list", [&]() -> Result<std::vector<std::string>> {
            std::vector<std::string> interfaces;
            interfaces.reserve(rules.size());
            for (const auto& [interface, request] : rules) interfaces.push_back(interface);
            return interfaces;
        });
    }
    [[nodiscard]] Result<FirewallReport> report(const Call& call,
                                                const FirewallRequest& /*request*/) override {
        return journal_.perform(call, "firewall.report",
                                [&]() -> Result<FirewallReport> { return report_answer; });
    }
    FirewallReport report_answer;

  private:
    Journal& journal_;
};

}  // namespace alca::fakes

#endif
