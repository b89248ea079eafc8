// core/cli/session.hpp - wiring: from a command line to the objects that a use case needs.
#ifndef ALCA_CORE_CLI_SESSION_HPP
#define ALCA_CORE_CLI_SESSION_HPP

#include <memory>
#include <optional>
#include <string>

#include "core/cli/command.hpp"
#include "core/cli/console.hpp"
#include "core/cli/log.hpp"
#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/plugins/loader.hpp"
#include "core/project/root.hpp"

namespace alca::cli {

// The host's side of calls into plugins, for one command.
class CliCall final : public Call {
  public:
    CliCall(const Log& log, Console& console, int cancel_fd)
        : log_(log), console_(console), cancel_fd_(cancel_fd) {}
    [[nodiscard]] int cancel_fd() const override { return cancel_fd_; }
    void log(LogLevel level, std::string_view line) const override { log_.write(level, line); }
    void progress(const Progress& progress) const override { console_.show(progress); }

  private:
    const Log& log_;
    Console& console_;
    int cancel_fd_;
};

// Lazily made parts of one command. Nothing is loaded before it is asked for.
class Session {
  public:
    // cancel_fd: -1, or readable when the user wants to stop.
    Session(Program& program, bool quiet, int cancel_fd);

    [[nodiscard]] Console& console() { return console_; }
    [[nodiscard]] const Call& call() const { return call_; }
    [[nodiscard]] const flow::Host& host() const { return host_; }

    // The user's state. Errors: invalid (no home directory).
    [[nodiscard]] Result<const project::Store*> store();
    [[nodiscard]] Result<config::Config> load_config(const project::Directory& project) const;
    // Directories of this host that any known sandbox can write. Every project is mounted writable
    // in its own.
    struct SharedDirectories {
        std::vector<fs::path> known;
        std::optional<Error> problem;  // why there may be others
    };
    [[nodiscard]] SharedDirectories shared_directories();
    // Manifests only. Plugins in the current project, or where any known sandbox can write, are
    // never trusted.
    [[nodiscard]] plugins::Loader& loader();

    struct ChosenRuntime {
        std::string id;
        std::unique_ptr<Runtime> runtime;
        std::string why;  // for -v and doctor
    };
    // wanted: configuration's `runtime`; kept: the plugin that made the project's sandbox, "" for
    // none.
    [[nodiscard]] Result<ChosenRuntime> choose_runtime(const std::string& wanted,
                                                       const std::string& kept);
    struct ChosenFirewall {
        std::string id;
        std::unique_ptr<Firewall> firewall;
    };
    // The one that `kept` names, else ours, else the first of a third party. nullopt: none is
    // installed.
    [[nodiscard]] Result<std::optional<ChosenFirewall>> choose_firewall(const std::string& kept);

  private:
    [[nodiscard]] Result<ChosenRuntime> load_runtime(const std::string& name, std::string why);

    Program& program_;
    Log log_;
    Console console_;
    CliCall call_;
    flow::Host host_;
    std::optional<project::Store> store_;
    std::unique_ptr<plugins::Loader> loader_;
};

// A project with everything that belongs to it, for the commands that work on its sandbox.
struct ProjectSession {
    project::Directory directory;
    config::Config config;
    std::optional<project::State> state;
    Session::ChosenRuntime runtime;
    std::optional<Session::ChosenFirewall> firewall;
    std::optional<flow::FirewallPort> firewall_port;

    // Borrows this object and the session.
    [[nodiscard]] Result<flow::Context> context(Session& session);
};
// Finds the project from the current directory upward, loads its configuration and state, chooses
// plugins.
[[nodiscard]] Result<std::unique_ptr<ProjectSession>> open_project(Session& session);
// The first half of it: everything but plugins, for who wants to say something even when there is
// no engine.
[[nodiscard]] Result<std::unique_ptr<ProjectSession>> open_files(Session& session);
[[nodiscard]] Result<void> choose_plugins(Session& session, ProjectSession& project);
// open_project for a sandbox that is there, whatever the configuration has become: nullptr when
// none was made.
[[nodiscard]] Result<std::unique_ptr<ProjectSession>> open_sandbox(Session& session);
// The project that the current directory is in.
[[nodiscard]] Result<project::Directory> current_project();

// Prints the error as "alca: ..." and returns the exit code for it.
[[nodiscard]] int report(const Error& error);

}  // namespace alca::cli

#endif
