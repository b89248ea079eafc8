// core/plugins/runtime_proxy.hpp - alca::Runtime over the C table of a plugin.
#ifndef ALCA_CORE_PLUGINS_RUNTIME_PROXY_HPP
#define ALCA_CORE_PLUGINS_RUNTIME_PROXY_HPP

#include <memory>
#include <string>
#include <vector>

#include "alca/runtime.hpp"
#include "core/plugins/instance.hpp"

namespace alca::plugins {

class RuntimeProxy final : public Runtime {
  public:
    // Borrows `table`, which is static in the plugin.
    RuntimeProxy(std::unique_ptr<Instance> instance, const alca_runtime_1& table)
        : instance_(std::move(instance)), table_(&table) {}

    [[nodiscard]] Result<RuntimeProbe> probe(const Call& call) override;
    [[nodiscard]] Result<Prepared> prepare(const Call& call, const SandboxSpec& spec) override;
    [[nodiscard]] Result<Created> create(const Call& call, const SandboxSpec& spec) override;
    [[nodiscard]] Result<void> start(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<void> stop(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<void> remove(const Call& call, const SandboxRef& ref,
                                      bool keep_network) override;
    [[nodiscard]] Result<SandboxStatus> status(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<std::vector<SandboxStatus>> list(const Call& call) override;
    [[nodiscard]] Result<int> exec(const Call& call, const ExecRequest& request,
                                   const Stdio& io) override;
    [[nodiscard]] Result<int> run_net_helper(const Call& call, const NetHelperRequest& request,
                                             const Stdio& io) override;

  private:
    using ProgramSlot = decltype(alca_runtime_1::exec);
    [[nodiscard]] Result<int> run_program(const Call& call, const char* name, ProgramSlot method,
                                          const Json& request, const Stdio& io);

    std::unique_ptr<Instance> instance_;
    const alca_runtime_1* table_;
};

}  // namespace alca::plugins

#endif
