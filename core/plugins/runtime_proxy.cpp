#include "core/plugins/runtime_proxy.hpp"

#include <fmt/format.h>

namespace alca::plugins {

Result<RuntimeProbe> RuntimeProxy::probe(const Call& call) {
    return instance_->ask<RuntimeProbe>(call, "probe", ALCA_SLOT(table_, probe), Json::object());
}

Result<Prepared> RuntimeProxy::prepare(const Call& call, const SandboxSpec& spec) {
    return instance_->ask<Prepared>(call, "prepare", ALCA_SLOT(table_, prepare),
                                    Json{{"sandbox", spec}});
}

Result<Created> RuntimeProxy::create(const Call& call, const SandboxSpec& spec) {
    return instance_->ask<Created>(call, "create", ALCA_SLOT(table_, create),
                                   Json{{"sandbox", spec}});
}

Result<void> RuntimeProxy::start(const Call& call, const SandboxRef& ref) {
    return instance_->tell(call, "start", ALCA_SLOT(table_, start), Json{{"sandbox", ref}});
}

Result<void> RuntimeProxy::stop(const Call& call, const SandboxRef& ref) {
    return instance_->tell(call, "stop", ALCA_SLOT(table_, stop), Json{{"sandbox", ref}});
}

Result<void> RuntimeProxy::remove(const Call& call, const SandboxRef& ref, bool keep_network) {
    return instance_->tell(call, "remove", ALCA_SLOT(table_, remove),
                           Json{{"sandbox", ref}, {"keep_network", keep_network}});
}

Result<SandboxStatus> RuntimeProxy::status(const Call& call, const SandboxRef& ref) {
    return instance_->ask<SandboxStatus>(call, "status", ALCA_SLOT(table_, status),
                                         Json{{"sandbox", ref}});
}

Result<std::vector<SandboxStatus>> RuntimeProxy::list(const Call& call) {
    return instance_->ask_member<std::vector<SandboxStatus>>(call, "list", ALCA_SLOT(table_, list),
                                                             "sandboxes");
}

Result<int> RuntimeProxy::exec(const Call& call, const ExecRequest& request, const Stdio& io) {
    return run_program(call, "exec", ALCA_SLOT(table_, exec), Json(request), io);
}

Result<int> RuntimeProxy::run_net_helper(const Call& call, const NetHelperRequest& request,
                                         const Stdio& io) {
    return run_program(call, "run_net_helper", ALCA_SLOT(table_, run_net_helper), Json(request),
                       io);
}

Result<int> RuntimeProxy::run_program(const Call& call, const char* name, ProgramSlot method,
                                      const Json& request, const Stdio& io) {
    if (method == nullptr) {
        return fail(Code::unsupported, fmt::format("the runtime plugin does not offer {}", name));
    }
    const std::string text = dump(request);
    const alca_stdio streams{sizeof(alca_stdio), io.in,       io.out, io.err,
                             io.tty ? 1 : 0,     io.resize_fd};
    std::int32_t exit_code = -1;
    const auto done = instance_->run(call, name, [&](void* self, const alca_call* abi) {
        return method(self, abi, {text.data(), text.size()}, &streams, &exit_code);
    });
    if (!done) return fail(done.error());
    if (exit_code < 0 || exit_code > 255) {
        return instance_->broken(name, fmt::format("exit code {} is out of range", exit_code));
    }
    return exit_code;
}

}  // namespace alca::plugins
