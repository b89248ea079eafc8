// A firewall whose kernel is two maps. Tests read and edit the rules directly.
#ifndef ALCA_TESTS_SUPPORT_FAKES_FAKE_FIREWALL_HPP
#define ALCA_TESTS_SUPPORT_FAKES_FAKE_FIREWALL_HPP

#include <sys/socket.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "tests/support/fakes/journal.hpp"

namespace alca::fakes {

class FakeFirewall final : public Firewall {
  public:
    explicit FakeFirewall(Journal& journal) : journal_(journal) {}

    // What probe answers, and so where this process may work.
    FirewallProbe probe_answer{.available = true,
                               .needs_root = false,
                               .layer = "fake rules",
                               .by_helper = false,
                               .enters = false,
                               .reason = "",
                               .strict = true,
                               .traffic = true,
                               .inside = true};
    // interface -> what holds it, for each layer.
    std::map<std::string, FirewallRequest> rules;
    std::map<std::string, FirewallRequest> inside;
    std::function<void()> on_inside_apply;
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
        return apply(call, request, /*connected=*/false);
    }
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request,
                                     bool connected) {
        return journal_.perform(call, entry("apply", request), [&]() -> Result<void> {
            if (auto able = check_right(request, connected); !able) return able;
            const bool is_inside = request.layer == FirewallLayer::inside;
            if (is_inside && request.policy != NetworkPolicy::internet) {
                return fail(Code::invalid, "only for the policy internet");
            }
            if (is_inside && !connected && request.pid == 0) return fail(Code::invalid, "no pid");
            if (is_inside && on_inside_apply) on_inside_apply();
            if (!forgets) layer(request).insert_or_assign(request.interface, request);
            return {};
        });
    }
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override {
        return verify(call, request, /*connected=*/false);
    }
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call, const FirewallRequest& request,
                                                 bool connected) {
        return journal_.perform(call, entry("verify", request), [&]() -> Result<FirewallVerdict> {
            if (auto able = check_right(request, connected); !able) return fail(able.error());
            const auto found = layer(request).find(request.interface);
            if (found == layer(request).end())
                return FirewallVerdict{false, "the interface is unknown"};
            const FirewallRequest& held = found->second;
            if (held.policy != request.policy || held.dns != request.dns ||
                held.allow != request.allow || held.strict != request.strict ||
                held.proxy != request.proxy || held.limits != request.limits ||
                held.gateways != request.gateways || held.published != request.published ||
                held.sandbox_id != request.sandbox_id) {
                return FirewallVerdict{false, "the rules differ"};
            }
            return FirewallVerdict{true, ""};
        });
    }
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override {
        return remove(call, request, /*connected=*/false);
    }
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request,
                                      bool connected) {
        return journal_.perform(call, entry("remove", request), [&]() -> Result<void> {
            if (auto able = check_right(request, connected); !able) return able;
            layer(request).erase(request.interface);
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
                                                const FirewallRequest& request) override {
        return journal_.perform(call, entry("report", request), [&]() -> Result<FirewallReport> {
            return request.layer == FirewallLayer::inside ? inside_report_answer : report_answer;
        });
    }
    FirewallReport report_answer;
    FirewallReport inside_report_answer;

    // Another instance over the same kernel, which can be connected.
    [[nodiscard]] std::unique_ptr<Firewall> another();

  private:
    [[nodiscard]] static std::string entry(const char* method, const FirewallRequest& request) {
        const bool is_inside = request.layer == FirewallLayer::inside;
        return std::string("firewall.") + method + (is_inside ? " inside" : "");
    }
    [[nodiscard]] std::map<std::string, FirewallRequest>& layer(const FirewallRequest& request) {
        return request.layer == FirewallLayer::inside ? inside : rules;
    }
    [[nodiscard]] Result<void> check_right(const FirewallRequest& request, bool connected) const {
        const bool is_inside = request.layer == FirewallLayer::inside;
        if (connected || (is_inside ? probe_answer.enters : probe_answer.available)) return {};
        return fail(Code::denied, probe_answer.reason);
    }

    Journal& journal_;
};

// Waits for one byte from whoever runs the helper, as the real one waits for its greeting.
class FakeConnectedFirewall final : public Firewall {
  public:
    explicit FakeConnectedFirewall(FakeFirewall& kernel) : kernel_(kernel) {}

    [[nodiscard]] Result<void> connect(const Call& /*call*/, int fd) override {
        char greeting = 0;
        connected_ = ::recv(fd, &greeting, 1, 0) == 1;
        return connected_ ? Result<void>() : fail(Code::unavailable, "no helper");
    }
    [[nodiscard]] Result<FirewallProbe> probe(const Call& call) override {
        return kernel_.probe(call);
    }
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request) override {
        return kernel_.apply(call, request, connected_);
    }
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override {
        return kernel_.verify(call, request, connected_);
    }
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override {
        return kernel_.remove(call, request, connected_);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const Call& call) override {
        return kernel_.list(call);
    }
    [[nodiscard]] Result<FirewallReport> report(const Call& call,
                                                const FirewallRequest& request) override {
        return kernel_.report(call, request);
    }

  private:
    FakeFirewall& kernel_;
    bool connected_ = false;
};

inline std::unique_ptr<Firewall> FakeFirewall::another() {
    return std::make_unique<FakeConnectedFirewall>(*this);
}

}  // namespace alca::fakes

#endif
