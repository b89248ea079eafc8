#include "core/flow/layers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <vector>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr const char* kVariable = "ALCA_NETWORK_LAYERS";

// What the user allows: each layer, by each way. All of it unless he says otherwise.
struct Allowed {
    bool direct = true;
    bool container = true;
};

Result<void> restrict(const std::string& text, Allowed& host, Allowed& inside) {
    host = inside = {false, false};
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t colon = std::min(part.find(':'), part.size());
        const std::string_view layer = part.substr(0, colon);
        const std::string_view way = part.substr(colon);
        Allowed& allowed = layer == "host" ? host : inside;
        const bool known = (layer == "host" || layer == "inside") &&
                           (way.empty() || way == ":direct" || way == ":container");
        if (!known) {
            return fail(Code::invalid,
                        fmt::format("{}: \"{}\" is none of host, inside, host:direct, "
                                    "host:container, inside:direct, inside:container",
                                    kVariable, part));
        }
        allowed.direct |= way != ":container";
        allowed.container |= way != ":direct";
    }
    return {};
}

std::optional<Way> choose(bool direct, bool container, const Allowed& allowed) {
    if (direct && allowed.direct) return Way::direct;
    if (container && allowed.container) return Way::container;
    return std::nullopt;
}

Result<void> read_allowed(const Host& machine, Allowed& host, Allowed& inside) {
    const auto found = machine.environment.find(kVariable);
    if (found == machine.environment.end() || found->second.empty()) return {};
    return restrict(found->second, host, inside);
}

}  // namespace

std::string_view to_string(Way way) {
    switch (way) {
        case Way::direct:
            return "direct";
        case Way::helper:
            return "network helper";
        case Way::container:
            return "container";
    }
    return "unknown";
}

project::EngineState engine_state(const RuntimeProbe& probe) {
    return {probe.engine, probe.shares_kernel, probe.rootless, probe.net_helper};
}

bool is_layer_chosen(const Host& host) {
    const auto found = host.environment.find(kVariable);
    return found != host.environment.end() && !found->second.empty();
}

Result<Ways> find_ways(const FirewallPort* firewall, const Host& machine, const Call& call,
                       const project::EngineState& engine) {
    Ways ways;
    if (firewall == nullptr) {
        ways.missing = "no firewall plugin is installed; see: alca plugins list";
        return ways;
    }
    Allowed host;
    Allowed inside;
    if (auto read = read_allowed(machine, host, inside); !read) return fail(read.error());
    const auto probe = firewall->firewall.probe(call);
    if (!probe) return fail(probe.error());
    // What this process does reaches this kernel only.
    const bool here = engine.shares_kernel && !engine.rootless;
    ways.here = here;
    ways.host = choose(here && probe->available, engine.net_helper, host);
    if (probe->inside) ways.inside = choose(here && probe->enters, engine.net_helper, inside);
    if (ways.host == Way::direct && probe->by_helper) ways.host = Way::helper;
    ways.strict = ways.host && probe->strict;
    ways.traffic = ways.host && probe->traffic;
    if (ways.host || ways.inside) return ways;
    ways.missing = probe->reason;
    if (!here) {
        ways.missing = fmt::format(
            "{} routes in a network that the rules of this machine do not "
            "see",
            engine.rootless ? "the rootless engine" : "the engine's machine");
    }
    // A plugin that gives no reason is not there all the same.
    if (ways.missing.empty()) {
        ways.missing = fmt::format("the firewall plugin {} is not available", firewall->id);
    }
    return ways;
}

namespace {

Result<void> by_container(const Context& context, const Call& call, const LayerPlace& place,
                          const FirewallWork& work) {
    auto firewall = context.firewall->another();
    if (!firewall) return fail(firewall.error());
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return fail("cannot make a socket: " + os::errno_text(errno));
    }
    const os::Fd ours(ends[0]);
    const os::Fd theirs(ends[1]);
    const NetHelperRequest request{.archive = context.host.net_helper_archive.string(),
                                   .inside = place.layer == FirewallLayer::inside,
                                   .sandbox = place.sandbox};
    Result<int> ran = fail("not run");
    std::thread helper([&] {
        ran = context.runtime.runtime.run_net_helper(
            call, request, {.in = theirs.get(), .out = theirs.get(), .err = -1});
        ::shutdown(theirs.get(), SHUT_RDWR);  // nobody waits for it any more
    });
    auto done = (*firewall)->connect(call, ours.get());
    if (done) done = work(**firewall);
    firewall->reset();
    ::shutdown(ours.get(), SHUT_RDWR);
    helper.join();
    // Why it did not start is known to who started it.
    if (!done && !ran) return fail(ran.error());
    return done;
}

}  // namespace

Result<Way> on_layer(const Context& context, const Call& call, const LayerPlace& place,
                     const FirewallWork& work) {
    Allowed host;
    Allowed inside;
    if (auto read = read_allowed(context.host, host, inside); !read) return fail(read.error());
    const Allowed& allowed = place.layer == FirewallLayer::host ? host : inside;
    Error denied{Code::denied, "no way to this layer is allowed"};
    if (place.here && allowed.direct) {
        auto done = work(context.firewall->firewall);
        if (done) {
            const bool is_host = place.layer == FirewallLayer::host;
            const auto probe = is_host && place.tells_helper
                                   ? context.firewall->firewall.probe(call)
                                   : Result<FirewallProbe>();
            return probe && probe->by_helper ? Way::helper : Way::direct;
        }
        // Where processes of others are hidden, theirs is not there.
        const bool is_hidden =
            place.layer == FirewallLayer::inside && done.error().code == Code::not_found;
        if (done.error().code != Code::denied && !is_hidden) return fail(done.error());
        denied = done.error();
    }
    if (!allowed.container || !place.may_start_container) return fail(denied);
    auto done = by_container(context, call, place, work);
    if (done) return Way::container;
    return fail(done.error().code == Code::unsupported ? denied : done.error());
}

std::string describe(const std::optional<Way>& host, const std::optional<Way>& inside) {
    std::vector<std::string> parts;
    if (host) parts.push_back(fmt::format("host, {}", to_string(*host)));
    if (inside) parts.push_back(fmt::format("inside the sandbox, {}", to_string(*inside)));
    return fmt::format("{} of 2 layers: {}", parts.size(), fmt::join(parts, "; "));
}

}  // namespace alca::flow
