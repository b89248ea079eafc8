#include "core/cli/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "core/cli/host.hpp"
#include "core/config/load.hpp"
#include "core/plugins/search_path.hpp"
#include "core/plugins/trust.hpp"

namespace alca::cli {
namespace {

// The order in which `runtime = "auto"` asks. A plugin of a third party is used when it is named.
constexpr std::array<std::string_view, 3> kAutoRuntimes{"runtime-docker", "runtime-podman",
                                                        "runtime-orbstack"};

constexpr std::string_view kOwnFirewall = "firewall-nft";

std::string variable(const config::Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
}

// Host directories that the sandbox of this configuration (config::applied_form) can write.
std::vector<std::string> writable_sources(const Json& applied_config) {
    std::vector<std::string> sources;
    if (!applied_config.is_object()) return sources;
    for (const Json& mount : applied_config.value("mounts", Json::array())) {
        if (!mount.is_object() || mount.value("readonly", false)) continue;
        if (auto source = mount.value("source", ""); !source.empty()) sources.push_back(source);
    }
    return sources;
}

}  // namespace

int report(const Error& error) {
    if (error.code == Code::cancelled) {
        print_error("interrupted");
        return exit_interrupted;
    }
    print_error(error.message);
    return exit_failed;
}

Session::Session(Program& program, bool quiet, int cancel_fd)
    : program_(program),
      log_(program.verbosity),
      console_(quiet, cancel_fd),
      call_(log_, console_, cancel_fd),
      host_(look_at_host(program)) {}

Result<const project::Store*> Session::store() {
    if (store_) return &*store_;
    auto directory = project::state_directory(variable(program_.environment, "XDG_STATE_HOME"),
                                              variable(program_.environment, "HOME"));
    if (!directory) return fail(directory.error());
    host_.state_directory = *directory;
    store_.emplace(std::move(*directory));
    return &*store_;
}

Result<config::Config> Session::load_config(const project::Directory& project) const {
    return config::load(project.path / project::kConfigFile,
                        {.project_dir = project.path,
                         .home = variable(program_.environment, "HOME"),
                         .environment = program_.environment});
}

Session::SharedDirectories Session::shared_directories() {
    SharedDirectories shared;
    if (const auto project = current_project()) shared.known.push_back(project->path);
    const auto store = this->store();
    if (!store) {
        shared.problem = store.error();
        return shared;
    }
    const auto listing = (*store)->list();
    if (!listing) {
        shared.problem = listing.error();
        return shared;
    }
    if (!listing->problems.empty()) shared.problem = listing->problems.front();
    for (const project::State& state : listing->states) {
        shared.known.push_back(state.directory.path);
        for (std::string& source : writable_sources(state.applied_config)) {
            shared.known.emplace_back(std::move(source));
        }
    }
    return shared;
}

plugins::Loader& Session::loader() {
    if (loader_ == nullptr) {
        plugins::TrustContext trust{.user = ::geteuid(), .project_root = {}, .writable_mounts = {}};
        if (auto project = current_project()) trust.project_root = std::move(project->path);
        trust.writable_mounts = shared_directories().known;
        const auto path = plugins::search_path(plugins::search_input_of_process(program_.prefix));
        auto catalog = plugins::scan(path, trust);
        for (const std::string& line : catalog.ignored) call_.log(LogLevel::info, line);
        loader_ = std::make_unique<plugins::Loader>(std::move(catalog), program_.breadcrumb);
    }
    return *loader_;
}

Result<Session::ChosenRuntime> Session::load_runtime(const std::string& name, std::string why) {
    auto runtime = loader_->runtime(call_, name);
    if (!runtime) return fail(runtime.error());
    const std::string prefixed = "runtime-" + name;
    const bool is_short = loader_->catalog().find(prefixed) != nullptr;
    call_.log(LogLevel::info, fmt::format("runtime {}: {}", is_short ? prefixed : name, why));
    return ChosenRuntime{is_short ? prefixed : name, std::move(*runtime), std::move(why)};
}

Result<Session::ChosenRuntime> Session::choose_runtime(const std::string& wanted,
                                                       const std::string& kept) {
    if (!kept.empty()) return load_runtime(kept, "it made this project's sandbox");
    if (wanted != "auto") return load_runtime(wanted, "the configuration names it");
    std::vector<std::string> reasons;
    for (const std::string_view id : kAutoRuntimes) {
        if (loader_->catalog().find(id) == nullptr) continue;
        auto chosen = load_runtime(std::string(id), "the first engine that answered");
        if (!chosen) {
            reasons.push_back(chosen.error().message);
            continue;
        }
        const auto probe = chosen->runtime->probe(call_);
        if (probe && probe->available) return chosen;
        if (!probe && probe.error().code == Code::cancelled) return fail(probe.error());
        reasons.push_back(probe ? probe->reason : probe.error().message);
    }
    if (reasons.empty()) {
        return fail(Code::unavailable,
                    "no container runtime available: no runtime plugin is installed; see: alca "
                    "plugins list");
    }
    return fail(Code::unavailable,
                fmt::format("no container runtime available: {}", fmt::join(reasons, "; ")));
}

Result<std::optional<Session::ChosenFirewall>> Session::choose_firewall(const std::string& kept) {
    const auto providers = loader_->catalog().providers("alca.firewall/1");
    const auto named = [&](std::string_view id) {
        return std::find_if(providers.begin(), providers.end(),
                            [&](const plugins::PluginInfo* plugin) { return plugin->id == id; });
    };
    // Ours first: what another plugin offers beside its runtime must not replace it unseen.
    auto chosen = named(kept.empty() ? kOwnFirewall : kept);
    if (chosen == providers.end() && kept.empty()) chosen = providers.begin();
    if (chosen == providers.end()) return std::optional<ChosenFirewall>();
    auto firewall = loader_->firewall(call_, (*chosen)->id);
    if (!firewall) return fail(firewall.error());
    return ChosenFirewall{(*chosen)->id, std::move(*firewall)};
}

Result<flow::Context> ProjectSession::context(Session& session) {
    const auto store = session.store();
    if (!store) return fail(store.error());
    return flow::Context{.runtime = {.id = runtime.id, .runtime = *runtime.runtime},
                         .firewall = firewall_port ? &*firewall_port : nullptr,
                         .store = **store,
                         .host = session.host(),
                         .ui = session.console(),
                         .call = session.call()};
}

namespace {

Result<void> load_state(Session& session, ProjectSession& project) {
    const auto store = session.store();
    if (!store) return fail(store.error());
    auto state = (*store)->load(project.directory.path);
    if (!state) return fail(state.error(), "failed to load state");
    project.state = std::move(*state);
    return {};
}

}  // namespace

// Runtime and firewall: those that made the sandbox, if there is one.
Result<void> choose_plugins(Session& session, ProjectSession& project) {
    static_cast<void>(session.loader());
    const bool made = project.state && project.state->phase != project::Phase::absent;
    auto runtime = session.choose_runtime(project.config.runtime,
                                          made ? project.state->runtime : std::string());
    if (!runtime) return fail(runtime.error(), "failed to select runtime");
    project.runtime = std::move(*runtime);
    auto firewall = session.choose_firewall(made ? project.state->firewall.plugin : std::string());
    if (!firewall) return fail(firewall.error());
    project.firewall = std::move(*firewall);
    if (const auto& chosen = project.firewall; chosen.has_value()) {
        project.firewall_port.emplace(flow::FirewallPort{
            .id = chosen->id,
            .firewall = *chosen->firewall,
            .another = [&session, id = chosen->id]() -> Result<std::unique_ptr<Firewall>> {
                auto other = session.loader().firewall(session.call(), id);
                if (!other) return fail(other.error());
                return std::move(*other);
            }});
    }
    return {};
}

Result<project::Directory> current_project() {
    std::error_code error;
    const fs::path current = fs::current_path(error);
    if (error) return fail("the current directory is gone: " + error.message());
    return project::find_root(current);
}

Result<std::unique_ptr<ProjectSession>> open_files(Session& session) {
    auto project = std::make_unique<ProjectSession>();
    auto directory = current_project();
    if (!directory) return fail(directory.error());
    project->directory = std::move(*directory);
    auto config = session.load_config(project->directory);
    if (!config) return fail(config.error());
    project->config = std::move(*config);
    if (auto loaded = load_state(session, *project); !loaded) return fail(loaded.error());
    return project;
}

Result<std::unique_ptr<ProjectSession>> open_project(Session& session) {
    auto project = open_files(session);
    if (!project) return project;
    if (auto chosen = choose_plugins(session, **project); !chosen) return fail(chosen.error());
    return project;
}

Result<std::unique_ptr<ProjectSession>> open_sandbox(Session& session) {
    auto project = std::make_unique<ProjectSession>();
    auto directory = current_project();
    if (!directory) return fail(directory.error());
    project->directory = std::move(*directory);
    const auto store = session.store();
    if (!store) return fail(store.error());
    // Also a sandbox that was made where the project stood before, or for what stood here.
    auto placement = (*store)->place(project->directory);
    if (!placement) return fail(placement.error(), "failed to load state");
    project->state = std::move(placement->state);
    const auto& state = project->state;
    if (!state.has_value()) return nullptr;
    // Also after `down`: what made the last sandbox is asked whether there is one.
    if (!state->runtime.empty()) project->config.runtime = state->runtime;
    if (auto chosen = choose_plugins(session, *project); !chosen) return fail(chosen.error());
    return project;
}

}  // namespace alca::cli
