// core/plugins/firewall_proxy.hpp - alca::Firewall over the C table of a plugin.
#ifndef ALCA_CORE_PLUGINS_FIREWALL_PROXY_HPP
#define ALCA_CORE_PLUGINS_FIREWALL_PROXY_HPP

#include <memory>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "core/plugins/instance.hpp"

namespace alca::plugins {

class FirewallProxy final : public Firewall {
  public:
    // Borrows `table`, which is static in the plugin.
    FirewallProxy(std::unique_ptr<Instance> instance, const alca_firewall_1& table)
        : instance_(std::move(instance)), table_(&table) {}

    [[nodiscard]] Result<FirewallProbe> probe(const Call& call) override;
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override;
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const Call& call) override;
    [[nodiscard]] Result<FirewallReport> report(const Call& call,
                                                const FirewallRequest& request) override;
    [[nodiscard]] Result<void> connect(const Call& call, int fd) override;

  private:
    std::unique_ptr<Instance> instance_;
    const alca_firewall_1* table_;
};

}  // namespace alca::plugins

#endif
