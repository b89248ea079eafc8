// core/project/state.hpp - what alca knows about a project's sandbox, kept where no sandbox can
// write.
//
// One JSON file per project, $XDG_STATE_HOME/alca/projects/<key>.json (0600), replaced in one step.
// <project>/.alca/state.json is a copy for people and scripts: written here, never read.
#ifndef ALCA_CORE_PROJECT_STATE_HPP
#define ALCA_CORE_PROJECT_STATE_HPP

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alca/firewall.hpp"
#include "alca/json.hpp"
#include "alca/result.hpp"
#include "core/project/root.hpp"

namespace alca::project {

// How far the sandbox has come; saved before each step, so that a crash leaves a true note.
enum class Phase {
    absent,     // nothing of ours exists: never up, or taken down
    preparing,  // network, rules and container may exist in part: remove them, then begin again
    created,    // made, started and verified; the set-up command has not ended
    ready,
};
[[nodiscard]] std::string_view to_string(Phase phase);

struct NetworkState {
    std::string name;
    std::string interface;
    std::vector<std::string> gateways;
};

// What the engine said of itself when it made the sandbox; none of it can change while it has it.
struct EngineState {
    std::string name;  // for people, "Docker Engine"; "" = never asked
    bool shares_kernel = false;
    bool rootless = false;
    bool net_helper = false;  // these three: see RuntimeProbe
    friend bool operator==(const EngineState&, const EngineState&) = default;
};

// Process 1 of the sandbox as this machine's kernel shows it, when it was verified.
struct ProcessState {
    std::int64_t pid = 0;       // 0 = not to be seen from here
    std::uint64_t started = 0;  // clock ticks since boot: a number is used again, not this
    std::vector<std::string> interfaces;  // of its network, sorted
    friend bool operator==(const ProcessState&, const ProcessState&) = default;
};

// A host name that lan-access allows, and what it stood for.
struct ResolvedName {
    std::string name;
    std::vector<std::string> addresses;  // sorted
    friend bool operator==(const ResolvedName&, const ResolvedName&) = default;
    static Result<ResolvedName> from_json(const Json& json);
};
void to_json(Json& json, const ResolvedName& value);

struct FirewallState {
    std::string plugin;  // id, "" = none was used
    std::string policy;  // "internet", "open"
    std::vector<std::string> dns;
    std::vector<AllowRule> allow = {};
    std::vector<ResolvedName> names = {};  // those that `allow` holds the addresses of
    bool strict = false;
    std::optional<TcpProxy> proxy = {};
    TrafficLimits limits = {};
    bool here = true;     // the sandbox's kernel is this machine's, and ours
    bool host = true;     // FirewallLayer::host is in force
    bool inside = false;  // FirewallLayer::inside is
    bool settled = true;  // false: a change of the rules has begun, and may be in force in part
    std::vector<PublishedPort> published = {};
    friend bool operator==(const FirewallState&, const FirewallState&) = default;
};

struct State {
    std::string project_id;  // UUID v4
    Directory directory;     // when the state was made
    Phase phase = Phase::absent;
    std::string runtime;  // plugin id, "runtime-docker"
    EngineState engine;
    std::string container_id;
    std::string container_name;
    ProcessState process;
    std::string image_user;  // the image's USER, "" = root
    NetworkState network;
    FirewallState firewall;
    bool allow_unprotected = false;
    std::string unprotected_reason;
    std::string created_at;                    // of the sandbox, RFC 3339
    Json applied_config;                       // config::applied_form; null = none
    std::vector<std::string> approved_powers;  // ids, sorted
};

// JSON of the state file; from_json checks every member. Errors: invalid.
[[nodiscard]] Json to_json(const State& state);
[[nodiscard]] Result<State> state_from_json(const Json& json);

// A state with a new random id and the names that follow from it, phase absent.
[[nodiscard]] State make_state(const Directory& directory);

// "alca-550e8400-e29": for the container and for its network.
[[nodiscard]] std::string sandbox_name(std::string_view project_id);
// "alca550e8400e29": 15 bytes, what the kernel allows for an interface.
[[nodiscard]] std::string interface_name(std::string_view project_id);
// "2026-11-24T06:37:00Z".
[[nodiscard]] std::string rfc3339(std::time_t time);
// The present time.
[[nodiscard]] std::string rfc3339_now();

// $XDG_STATE_HOME/alca, or ~/.local/state/alca. As the XDG specification says, a relative
// XDG_STATE_HOME is ignored. Empty arguments mean "not set". Errors: invalid (neither gives an
// absolute path).
[[nodiscard]] Result<fs::path> state_directory(std::string_view xdg_state_home,
                                               std::string_view home);

// Where `directory` is now compared with where its state was made. A state in phase absent counts
// only for the very directory that it was made for: no sandbox is left to take down, and its id and
// approvals are never handed on to another directory.
struct Placement {
    enum class Kind {
        fresh,     // no state that counts
        same,      // the state belongs to this directory
        replaced,  // a state has this path, but another directory stands there now
        moved,     // no state has this path, but one has this directory under `from`
    };
    Kind kind = Kind::fresh;
    std::optional<State> state;  // the one that was found; none for fresh
    fs::path from;               // for moved: the old path
};

// The message for a placement that must not go on: "project directory has moved from A to B ...",
// and what to do. Only for replaced and moved.
[[nodiscard]] Error misplaced(const Placement& placement, const Directory& directory);

// All states of one user. Methods may be called from any process at any time; take the ProjectLock
// (lock.hpp) around load, change, save.
class Store {
  public:
    // directory: of state_directory(). It is made by the first write.
    explicit Store(fs::path directory) : directory_(std::move(directory)) {}

    // Makes the directories, 0700, and checks that nobody else can write there. Errors: denied
    // (also: belongs to another user, or others can write there), failed.
    [[nodiscard]] Result<void> prepare() const;
    // The state of the project at `path` (absolute, resolved), none if there is no file. Errors:
    // invalid: the file is corrupt, belongs to another path, or was written by a newer alca;
    // denied; failed.
    [[nodiscard]] Result<std::optional<State>> load(const fs::path& path) const;
    // Writes nothing when the file says the same already. Also removes what killed saves of this
    // state have left. Errors: denied, failed (disk full); the old file stays as it was, but for
    // the one case that os::write_file_atomic names.
    [[nodiscard]] Result<void> save(const State& state) const;

    struct Listing {
        std::vector<State> states;    // sorted by path
        std::vector<Error> problems;  // files that could not be read: never taken for missing ones
    };
    [[nodiscard]] Result<Listing> list() const;

    // Errors: those of load; a problem in the file of another project is not one.
    [[nodiscard]] Result<Placement> place(const Directory& directory) const;

    [[nodiscard]] fs::path state_file(const fs::path& path) const;
    [[nodiscard]] fs::path lock_file(const fs::path& path) const;

  private:
    [[nodiscard]] Result<State> read(const fs::path& file) const;

    fs::path directory_;
};

}  // namespace alca::project

#endif
