#include "plugins/runtime-docker/docker_runtime.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <utility>

#include "plugins/shared/engine_http/create.hpp"
#include "plugins/shared/engine_http/exec.hpp"
#include "plugins/shared/engine_http/inspect.hpp"
#include "plugins/shared/engine_http/net_helper.hpp"
#include "plugins/shared/engine_http/network.hpp"
#include "plugins/shared/engine_http/pull.hpp"
#include "plugins/shared/engine_http/small_file.hpp"

namespace alca::docker {

namespace {

using namespace engine_http;  // NOLINT(google-build-using-namespace): this file speaks its terms

constexpr unsigned kConflict = 409;
constexpr unsigned kNotFound = 404;

bool is_ours(const SandboxStatus& status, const std::string& id) {
    const auto label = status.labels.find(kProjectLabel);
    return label != status.labels.end() && label->second == id;
}

Error not_ours(const std::string& name, const std::string& id) {
    return Error{Code::failed,
                 fmt::format("container {} does not belong to this project (its label {} is not "
                             "{}); rename or remove it: docker rm {}",
                             name, kProjectLabel, id, name)};
}

// Whether the engine at this unix socket runs its containers on our own kernel. Those that run them
// in a virtual machine forward their socket; their names, and a kernel that is another one, tell.
bool is_this_machine(std::string_view operating_system, std::string_view kernel_release) {
    utsname names{};
    if (::uname(&names) != 0 || std::string_view(names.sysname) != "Linux") return false;
    if (operating_system == "Docker Desktop" || operating_system == "OrbStack") return false;
    return kernel_release == names.release;
}

// Routes of this host. No file (another kernel than Linux): none to avoid, the engine itself
// refuses what overlaps with its own networks.
Result<std::vector<Ipv4Subnet>> host_routes() {
    auto text = read_small_file("/proc/net/route");
    if (!text) return fail(text.error(), "/proc/net/route");
    return parse_routes(text->value_or(""));
}

}  // namespace

Result<std::unique_ptr<DockerRuntime>> DockerRuntime::make(const Json& settings) {
    if (!settings.empty()) {
        return fail(Code::invalid, fmt::format("runtime-docker has no setting '{}'",
                                               settings.items().begin().key()));
    }
    return std::make_unique<DockerRuntime>(Environment::of_process());
}

DockerRuntime::DockerRuntime(Environment environment, Timeouts timeouts)
    : environment_(std::move(environment)), timeouts_(timeouts) {}

Result<Engine*> DockerRuntime::connect(const Call& call) {
    if (engine_ == nullptr) {
        auto endpoint = resolve_endpoint(environment_);
        if (!endpoint) return fail(endpoint.error());
        engine_ = std::make_unique<Engine>(*std::move(endpoint), timeouts_);
    }
    auto server = engine_->negotiate(call);
    if (!server) return fail(server.error());
    if (server->is_podman) {
        return fail(Code::unavailable,
                    fmt::format("what answers at {} is Podman, not Docker; choose runtime = "
                                "\"podman\", or start Docker",
                                engine_->endpoint().describe()));
    }
    return engine_.get();
}

Result<RuntimeProbe> DockerRuntime::probe(const Call& call) {
    if (usable_) return *usable_;
    RuntimeProbe probe;
    probe.engine = "Docker Engine";
    auto engine = connect(call);
    if (engine_ != nullptr) {
        probe.endpoint = engine_->endpoint().url;
        probe.endpoint_from = engine_->endpoint().origin;
    }
    auto read = engine ? read_info(call, probe) : Result<void>(fail(engine.error()));
    if (!read && read.error().code == Code::cancelled) return fail(read.error());
    probe.available = read.has_value();
    if (!read) probe.reason = read.error().message;
    if (read) usable_ = probe;
    return probe;
}

Result<void> DockerRuntime::read_info(const Call& call, RuntimeProbe& probe) {
    auto server = engine_->negotiate(call);
    if (!server) return fail(server.error());
    probe.api_version = server->api.text();
    auto reply = engine_->get(call, "/info");
    if (!reply) return fail(reply.error());
    const std::string action =
        "cannot read what the engine at " + engine_->endpoint().describe() + " is";
    if (!reply->is_ok()) return fail(reply->error(action));

    std::string os_type;
    std::string system;
    std::string kernel;
    std::vector<std::string> security;
    JsonReader in(reply->json, "info");
    in.read("ServerVersion", probe.version);
    in.read("OSType", os_type);
    in.read("OperatingSystem", system);
    in.read("KernelVersion", kernel);
    in.read("SecurityOptions", security);
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    if (os_type != "linux") {
        return fail(Code::unavailable,
                    fmt::format("the engine at {} runs {} containers, Linux ones are needed",
                                engine_->endpoint().describe(), os_type));
    }
    probe.net_helper = true;
    probe.shares_kernel = is_this_machine(system, kernel);
    probe.rootless = std::any_of(security.begin(), security.end(), [](const std::string& option) {
        return option == "name=rootless" || option.starts_with("name=rootless,");
    });
    return {};
}

Result<Prepared> DockerRuntime::prepare(const Call& call, const SandboxSpec& spec) {
    if (auto checked = check_spec(spec); !checked) return fail(checked.error());
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    auto image = ensure_image(**engine, call, spec.image, environment_);
    if (!image) return fail(image.error());
    auto routes = host_routes();
    if (!routes) return fail(routes.error());
    auto network = ensure_network(**engine, call, spec.id, spec.network, *routes);
    if (!network) return fail(network.error());
    return Prepared{*std::move(image), *std::move(network)};
}

Result<Created> DockerRuntime::create(const Call& call, const SandboxSpec& spec) {
    if (auto checked = check_spec(spec); !checked) return fail(checked.error());
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    const std::string path = "/containers/create?name=" + url_escape(spec.name);
    const std::string action = "cannot create container " + spec.name;
    auto reply = (*engine)->make(call, path, create_body(spec));
    if (!reply) return fail(reply.error());
    if (reply->status == kConflict) {
        // Left by a run that was interrupted, or somebody else's: the label tells.
        SandboxRef ref;
        ref.id = spec.id;
        ref.name = spec.name;
        auto existing = find(call, ref);
        if (!existing) return fail(existing.error());
        const std::optional<SandboxStatus>& container = *existing;
        if (container && !is_ours(*container, spec.id)) return fail(not_ours(spec.name, spec.id));
        if (container) {
            auto removed = remove_container(call, container->container_id);
            if (!removed) return fail(removed.error(), action);
        }
        reply = (*engine)->post(call, path, create_body(spec));
        if (!reply) return fail(reply.error());
    }
    if (!reply->is_ok()) return fail(reply->error(action));

    Created created;
    std::vector<std::string> warnings;
    JsonReader in(reply->json, "create");
    in.require("Id", created.container_id);
    in.read("Warnings", warnings);
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    // Such as "your kernel does not support swap limit": whether it matters shows in `status`.
    for (const std::string& warning : warnings) call.log(LogLevel::info, "docker: " + warning);
    return created;
}

Result<std::optional<SandboxStatus>> DockerRuntime::find(const Call& call, const SandboxRef& ref) {
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    const std::string& key = ref.container_id.empty() ? ref.name : ref.container_id;
    if (key.empty()) return fail(Code::invalid, "a sandbox needs a name or a container id");
    auto reply = (*engine)->get(call, "/containers/" + url_escape(key) + "/json");
    if (!reply) return fail(reply.error());
    if (reply->status == kNotFound) return std::nullopt;
    const std::string action = "cannot read container " + key;
    if (!reply->is_ok()) return fail(reply->error(action));
    auto status = status_of_inspect(reply->json);
    if (!status) return fail(status.error(), action);
    // The engine also finds containers by the start of their id.
    if (status->name != key && status->container_id != key) return std::nullopt;
    return *std::move(status);
}

Result<SandboxStatus> DockerRuntime::find_ours(const Call& call, const SandboxRef& ref) {
    auto found = find(call, ref);
    if (!found) return fail(found.error());
    const std::optional<SandboxStatus>& container = *found;
    if (!container) {
        return fail(Code::not_found,
                    fmt::format("there is no container {}; run: alca up", ref.name));
    }
    if (!is_ours(*container, ref.id)) return fail(not_ours(container->name, ref.id));
    return *container;
}

Result<void> DockerRuntime::start(const Call& call, const SandboxRef& ref) {
    auto found = find_ours(call, ref);
    if (!found) return fail(found.error());
    if (found->state == SandboxState::paused) {
        return fail(Code::unavailable, fmt::format("container {} is paused; run: docker unpause {}",
                                                   found->name, found->name));
    }
    auto reply = engine_->post(call, "/containers/" + url_escape(found->container_id) + "/start");
    if (!reply) return fail(reply.error());
    if (!reply->is_ok()) return fail(reply->error("cannot start container " + found->name));
    return {};
}

Result<void> DockerRuntime::stop(const Call& call, const SandboxRef& ref) {
    auto found = find_ours(call, ref);
    if (!found) return fail(found.error());
    auto reply =
        engine_->post(call, fmt::format("/containers/{}/stop", url_escape(found->container_id)));
    if (!reply) return fail(reply.error());
    if (!reply->is_ok()) return fail(reply->error("cannot stop container " + found->name));
    return {};
}

Result<void> DockerRuntime::remove_container(const Call& call, const std::string& id) {
    const std::string path = "/containers/" + url_escape(id);
    // A stop tells the engine that the end is meant, so that it does not restart. What will not
    // stop (paused, just created) is removed by force all the same.
    auto stopped = engine_->post(call, path + "/stop");
    if (!stopped) return fail(stopped.error());
    // v: anonymous volumes, which an image declares. Named ones stay.
    auto reply = engine_->remove(call, path + "?force=true&v=true");
    if (!reply) return fail(reply.error());
    if (!reply->is_ok() && reply->status != kNotFound) {
        return fail(reply->error("cannot remove container " + id.substr(0, 12)));
    }
    return {};
}

Result<void> DockerRuntime::remove(const Call& call, const SandboxRef& ref, bool keep_network) {
    auto found = find(call, ref);
    if (!found) return fail(found.error());
    if (const std::optional<SandboxStatus>& container = *found; container) {
        if (!is_ours(*container, ref.id)) return fail(not_ours(container->name, ref.id));
        auto removed = remove_container(call, container->container_id);
        if (!removed) return fail(removed.error());
    }
    if (keep_network || ref.network_name.empty()) return {};
    return remove_network(*engine_, call, ref.id, ref.network_name);
}

Result<SandboxStatus> DockerRuntime::status(const Call& call, const SandboxRef& ref) {
    auto found = find(call, ref);
    if (!found) return fail(found.error());
    std::optional<SandboxStatus>& container = *found;
    if (!container) return SandboxStatus{};
    SandboxStatus status = *std::move(container);
    if (const auto label = status.labels.find(kProjectLabel); label != status.labels.end()) {
        status.effective.id = label->second;
    }
    // Which bridge the traffic takes is not part of the container: a network of that name may have
    // been made anew with another one.
    if (status.effective.network.name.empty()) return status;
    auto network = read_network(*engine_, call, status.effective.network.name);
    if (!network) return fail(network.error());
    status.effective.network = network->value_or(status.effective.network);
    return status;
}

Result<std::vector<SandboxStatus>> DockerRuntime::list(const Call& call) {
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    const Json filters{{"label", Json::array({kProjectLabel})}};
    auto reply =
        (*engine)->get(call, "/containers/json?all=true&filters=" + url_escape(dump(filters)));
    if (!reply) return fail(reply.error());
    const std::string action = "cannot list containers";
    if (!reply->is_ok()) return fail(reply->error(action));
    if (!reply->json.is_array()) return fail(action + ": the engine's answer is no list");
    std::vector<SandboxStatus> sandboxes;
    for (const Json& entry : reply->json) {
        auto status = status_of_list_entry(entry);
        if (!status) return fail(status.error(), action);
        sandboxes.push_back(*std::move(status));
    }
    return sandboxes;
}

Result<int> DockerRuntime::exec(const Call& call, const ExecRequest& request, const Stdio& io) {
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    // With an id the host has compared the labels already: one round trip less for each command.
    std::string container = request.sandbox.container_id;
    if (container.empty()) {
        auto found = find_ours(call, request.sandbox);
        if (!found) return fail(found.error());
        container = found->container_id;
    }
    return run_exec(**engine, call, container, request, io);
}

Result<int> DockerRuntime::run_net_helper(const Call& call, const NetHelperRequest& request,
                                          const Stdio& io) {
    auto engine = connect(call);
    if (!engine) return fail(engine.error());
    std::string container;
    if (request.inside) {
        auto found = find_ours(call, request.sandbox);
        if (!found) return fail(found.error());
        container = found->container_id;
    }
    auto ran = engine_http::run_net_helper(**engine, call, request.archive, container, io);
    if (!ran) return fail(ran.error());
    return 0;
}

}  // namespace alca::docker
