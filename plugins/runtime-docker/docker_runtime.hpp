// plugins/runtime-docker/docker_runtime.hpp - sandboxes on a Docker Engine.
#ifndef ALCA_PLUGINS_RUNTIME_DOCKER_DOCKER_RUNTIME_HPP
#define ALCA_PLUGINS_RUNTIME_DOCKER_DOCKER_RUNTIME_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/endpoint.hpp"
#include "plugins/shared/engine_http/engine.hpp"

namespace alca::docker {

// alca.runtime/1 over the Docker Engine API. Holds one connection for as long as it lives. What
// each method promises is said in alca/runtime.hpp; here is only what is particular to Docker:
//
// - Every method but probe fails with `unavailable` when Podman answers at the socket: it treats
//   several security options differently, which is another plugin's business.
// - A container of the wanted name that carries our label with the same id is replaced by create.
//   One that does not is an error.
// - status finds a container whose label has another id too: the host compares (its labels are in
//   the answer). start, stop and remove refuse it, and exec where it is not named by id.
class DockerRuntime final : public Runtime {
  public:
    // Settings: none. Endpoint and credentials come from the environment of the process.
    [[nodiscard]] static Result<std::unique_ptr<DockerRuntime>> make(const Json& settings);
    explicit DockerRuntime(engine_http::Environment environment,
                           engine_http::Timeouts timeouts = {});

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
    using Engine = engine_http::Engine;

    // The engine, with the API version agreed on.
    [[nodiscard]] Result<Engine*> connect(const Call& call);
    // Fills what GET /info tells.
    [[nodiscard]] Result<void> read_info(const Call& call, RuntimeProbe& probe);
    [[nodiscard]] Result<std::optional<SandboxStatus>> find(const Call& call,
                                                            const SandboxRef& ref);
    // As find, but it must be there and ours.
    [[nodiscard]] Result<SandboxStatus> find_ours(const Call& call, const SandboxRef& ref);
    [[nodiscard]] Result<void> remove_container(const Call& call, const std::string& id);

    engine_http::Environment environment_;
    engine_http::Timeouts timeouts_;
    std::unique_ptr<Engine> engine_;  // made at the first use
    // What an engine is does not change under a connection, and GET /info takes it long to tell.
    std::optional<RuntimeProbe> usable_;
};

}  // namespace alca::docker

#endif
