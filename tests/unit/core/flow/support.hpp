// A whole alca around fakes: a project, its state, an engine and a kernel that are maps.
#ifndef ALCA_TESTS_UNIT_CORE_FLOW_SUPPORT_HPP
#define ALCA_TESTS_UNIT_CORE_FLOW_SUPPORT_HPP

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/load.hpp"
#include "core/flow/context.hpp"
#include "core/flow/down.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/up.hpp"
#include "core/project/state.hpp"
#include "tests/support/fakes/fake_call.hpp"
#include "tests/support/fakes/fake_firewall.hpp"
#include "tests/support/fakes/fake_runtime.hpp"
#include "tests/support/fakes/fake_ui.hpp"
#include "tests/support/fakes/journal.hpp"
#include "tests/support/fakes/temporary_project.hpp"

namespace alca::flow {

using Entries = std::vector<std::string>;

// One alca with everything it works on. Tests that need many of them make them in a loop.
class World {
  public:
    World() {
        host.uid = 1000;
        host.gid = 1001;
        host.resolvers = {"192.0.2.53"};
        host.init_program = project.init_program();
        host.state_directory = project.state();
        host.environment = {{"TERM", "xterm"}};
    }

    // The configuration that `text` gives behind `image = "debian:12"`.
    [[nodiscard]] config::Config config(const std::string& text = "") const {
        auto config =
            config::parse("image = \"debian:12\"\n" + text, project.path() / project::kConfigFile,
                          {project.path(), project.home(), host.environment});
        if (config) return *config;
        ADD_FAILURE() << config.error().message;
        return {};
    }
    [[nodiscard]] Context context() {
        return {.runtime = {.id = "runtime-fake", .runtime = runtime},
                .firewall = has_firewall ? &firewall_port_ : nullptr,
                .store = store,
                .host = host,
                .ui = ui,
                .call = call};
    }
    [[nodiscard]] Result<void> up(const std::string& text = "", const UpOptions& options = {}) {
        return flow::up(context(), config(text), options);
    }
    [[nodiscard]] Result<void> down(const DownOptions& options = {}) {
        return flow::down(context(), project.path(), options);
    }
    // `up` as the arrangement of a test: it must succeed, and what it said and did is forgotten.
    void be_up(const std::string& text = "", const UpOptions& options = {}) {
        const auto done = up(text, options);
        ASSERT_TRUE(done) << done.error().message;
        forget();
    }
    void forget() {
        journal.forget();
        ui.forget();
        runtime.commands.clear();
    }

    // The state as it is on disk; phase absent when there is no file.
    [[nodiscard]] project::State state() const {
        auto state = store.load(project.path());
        if (state) return state->value_or(project::State{});
        ADD_FAILURE() << state.error().message;
        return {};
    }
    void save(const project::State& state) const {
        const auto saved = store.save(state);
        if (!saved) ADD_FAILURE() << saved.error().message;
    }
    // The only container; tests ask only when there is one.
    [[nodiscard]] SandboxStatus& sandbox() { return runtime.containers.begin()->second; }
    [[nodiscard]] bool is_running() const {
        return runtime.containers.size() == 1 &&
               runtime.containers.begin()->second.state == SandboxState::running;
    }
    // What is in the engine and in the kernel; "" for nothing.
    [[nodiscard]] std::string left_over() const {
        std::string text;
        for (const auto& [name, container] : runtime.containers) text += "container " + name + "; ";
        for (const auto& [name, interface] : runtime.networks) text += "network " + name + "; ";
        for (const auto& [interface, rules] : firewall.rules) text += "rules " + interface + "; ";
        // Those inside end with the container.
        return text;
    }

    fakes::TemporaryProject project;
    fakes::Journal journal;
    fakes::FakeFirewall firewall{journal};
    fakes::FakeRuntime runtime{journal, firewall};
    fakes::FakeUi ui;
    fakes::FakeCall call;
    project::Store store{project.state()};
    Host host;
    bool has_firewall = true;

  private:
    FirewallPort firewall_port_{
        .id = "firewall-fake",
        .firewall = firewall,
        .another = [this]() -> Result<std::unique_ptr<Firewall>> { return firewall.another(); }};
};

class FlowTest : public testing::Test, protected World {};

// The message of a result that must be an error.
template <class T>
[[nodiscard]] std::string message_of(const Result<T>& result) {
    if (!result) return result.error().message;
    ADD_FAILURE() << "succeeded";
    return {};
}

}  // namespace alca::flow

#endif
