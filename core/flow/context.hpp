// core/flow/context.hpp - what every use case is given. Built by core/cli, borrowed by core/flow.
#ifndef ALCA_CORE_FLOW_CONTEXT_HPP
#define ALCA_CORE_FLOW_CONTEXT_HPP

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "alca/runtime.hpp"
#include "core/config/expand.hpp"
#include "core/flow/ui.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

namespace fs = std::filesystem;

// Facts about the caller and the machine, read once.
struct Host {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<std::string> resolvers;  // addresses of /etc/resolv.conf
    fs::path init_program;               // libexec/alca/alca-init
    fs::path net_helper_archive;         // libexec/alca/alca-net.tar
    fs::path state_directory;            // where the user's state lives; copies of helpers too
    config::Environment environment;
    // os::resolve: the addresses of a host name.
    std::function<Result<std::vector<std::string>>(const std::string& name, int cancel_fd)> resolve;
};

// A plugin in use. id: what the state remembers it by.
struct RuntimePort {
    std::string id;
    Runtime& runtime;
};
struct FirewallPort {
    std::string id;
    Firewall& firewall;
    // Another instance of the same plugin.
    std::function<Result<std::unique_ptr<Firewall>>()> another = {};
};

struct Context {
    RuntimePort runtime;
    const FirewallPort* firewall;  // nullptr: no plugin for it is installed
    const project::Store& store;
    const Host& host;
    Ui& ui;
    const Call& call;
};

// The same log and progress as another call, without its cancellation: for undoing and for steps
// that must not stop half way.
class UncancellableCall final : public Call {
  public:
    explicit UncancellableCall(const Call& call) : call_(call) {}
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(LogLevel level, std::string_view line) const override { call_.log(level, line); }
    void progress(const Progress& progress) const override { call_.progress(progress); }

  private:
    const Call& call_;
};

}  // namespace alca::flow

#endif
