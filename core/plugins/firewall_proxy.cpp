#include "core/plugins/firewall_proxy.hpp"

namespace alca::plugins {

Result<FirewallProbe> FirewallProxy::probe(const Call& call) {
    return instance_->ask<FirewallProbe>(call, "probe", ALCA_SLOT(table_, probe), Json::object());
}

Result<void> FirewallProxy::apply(const Call& call, const FirewallRequest& request) {
    return instance_->tell(call, "apply", ALCA_SLOT(table_, apply), Json(request));
}

Result<FirewallVerdict> FirewallProxy::verify(const Call& call, const FirewallRequest& request) {
    return instance_->ask<FirewallVerdict>(call, "verify", ALCA_SLOT(table_, verify),
                                           Json(request));
}

Result<void> FirewallProxy::remove(const Call& call, const FirewallRequest& request) {
    return instance_->tell(call, "remove", ALCA_SLOT(table_, remove), Json(request));
}

Result<std::vector<std::string>> FirewallProxy::list(const Call& call) {
    return instance_->ask_member<std::vector<std::string>>(call, "list", ALCA_SLOT(table_, list),
                                                           "interfaces");
}

Result<FirewallReport> FirewallProxy::report(const Call& call, const FirewallRequest& request) {
    return instance_->ask<FirewallReport>(call, "report", ALCA_SLOT(table_, report), Json(request));
}

Result<void> FirewallProxy::connect(const Call& call, int fd) {
    const auto slot = ALCA_SLOT(table_, connect);
    if (slot == nullptr) return fail(Code::unsupported, "connect: not offered by this plugin");
    const auto done = instance_->run(
        call, "connect", [&](void* self, const alca_call* host) { return slot(self, host, fd); });
    if (!done) return fail(done.error());
    return {};
}

}  // namespace alca::plugins
