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

}  // namespace alca::plugins
