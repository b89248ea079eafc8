// alca/runtime.hpp - the typed form of alca.runtime/1 (alca/runtime.h): data and class.
//
// `Runtime` is what an author implements, what the host's proxy implements over the C table, and
// what tests fake. Each struct maps to one object of sdk/schema/runtime.schema.json.
#ifndef ALCA_RUNTIME_HPP
#define ALCA_RUNTIME_HPP

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alca/call.hpp"
#include "alca/json.hpp"
#include "alca/result.hpp"
#include "alca/runtime.h"

namespace alca {

// What the engine is and whether it can be used now.
struct RuntimeProbe {
    bool available = false;
    std::string engine;         // "Docker Engine"
    std::string version;        // the engine's own, "20.10.24"
    std::string api_version;    // in use after negotiation, "1.41"
    std::string endpoint;       // "unix:///var/run/docker.sock"
    std::string endpoint_from;  // what chose it: "DOCKER_HOST", "context work", "default"
    std::string reason;         // why not available, and what to do; "" when available
    // The engine's containers run on this host's own kernel, not in a virtual machine. To be
    // reported: rules in the host's kernel hold nothing otherwise.
    bool shares_kernel = false;
    bool rootless = false;
    bool net_helper = false;  // run_net_helper works
    static Result<RuntimeProbe> from_json(const Json& json);
};

// A bind mount or a named volume. Exactly one of source and volume is set.
struct Mount {
    std::string source;  // absolute host path; a missing one is an error, never created
    std::string volume;  // name of an engine volume; created when absent, kept by remove
    std::string target;  // absolute path inside
    bool read_only = false;
    static Result<Mount> from_json(const Json& json);
    friend bool operator==(const Mount&, const Mount&) = default;
};

// A port of the sandbox that the host publishes.
struct Port {
    std::string host_ip = "127.0.0.1";
    std::uint16_t host_port = 0;
    std::uint16_t container_port = 0;
    std::string protocol = "tcp";  // "tcp" or "udp"
    static Result<Port> from_json(const Json& json);
    friend bool operator==(const Port&, const Port&) = default;
};

// The sandbox's own bridge network.
struct NetworkSpec {
    std::string name;       // in the engine
    std::string interface;  // of the bridge, in the kernel that routes; at most 15 bytes, "alca..."
    bool ipv6 = false;
    static Result<NetworkSpec> from_json(const Json& json);
    friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

// Everything that a sandbox is made from. The host has decided all of it: a runtime adds nothing
// and leaves nothing out; what it cannot do is an error (unsupported).
struct SandboxSpec {
    std::string id;            // project UUID
    std::string name;          // of the container
    std::string project_path;  // absolute
    std::string image;
    std::vector<std::string> init;  // argv of process 1; the image's own entry point is not run
    std::string user;               // of process 1, "0:0"
    std::string workdir;            // absolute
    std::string hostname;
    std::vector<std::string> dns = {};  // addresses of resolvers; empty = as the engine does it
    std::map<std::string, std::string> env;
    std::map<std::string, std::string> labels;
    std::vector<Mount> mounts;
    std::vector<Port> ports;
    // The exact set of capabilities, without the prefix CAP_: all others are dropped.
    std::vector<std::string> capabilities;
    bool no_new_privileges = true;
    std::string seccomp;            // the profile, JSON text; "" = the engine's own default profile
    std::int64_t pids_limit = 0;    // 0: none
    std::int64_t memory_bytes = 0;  // 0: no limit
    std::int64_t nano_cpus = 0;     // 1e9 = one CPU; 0: no limit
    // How long stop and remove wait for process 1 to end before they kill; 0: as the engine does.
    std::int64_t stop_timeout_s = 0;
    NetworkSpec network;
    static Result<SandboxSpec> from_json(const Json& json);
    // What is known of a sandbox of which nothing was reported: nothing, and no protection.
    [[nodiscard]] static SandboxSpec unreported();
};

// Names an existing sandbox. container_id is "" when the host does not know it; then name is used.
struct SandboxRef {
    std::string id;
    std::string name;
    std::string container_id;
    std::string network_name;
    static Result<SandboxRef> from_json(const Json& json);
};

struct PreparedImage {
    std::string id;    // digest of the image in the engine
    std::string user;  // the image's USER, "" = root
    std::map<std::string, std::string> env;
    bool pulled = false;
    static Result<PreparedImage> from_json(const Json& json);
};

struct PreparedNetwork {
    std::string id;
    std::string interface;
    std::vector<std::string> subnets;   // "172.30.0.16/28"
    std::vector<std::string> gateways;  // the host's own address in each subnet, same order
    bool created = false;               // by this call
    static Result<PreparedNetwork> from_json(const Json& json);
};

struct Prepared {
    PreparedImage image;
    PreparedNetwork network;
    static Result<Prepared> from_json(const Json& json);
};

struct Created {
    std::string container_id;
    static Result<Created> from_json(const Json& json);
};

enum class SandboxState { absent, created, running, stopped, paused, unknown };
[[nodiscard]] std::string_view to_string(SandboxState state);

// A sandbox as the engine reports it. `effective` is read back from the engine, never an echo of
// the request: the host compares it with what it asked for. Fields that the engine did not report
// stay as SandboxSpec::unreported has them: what is not reported protects nobody.
struct SandboxStatus {
    SandboxState state = SandboxState::absent;
    std::string container_id;
    std::string name;
    std::string image;
    std::string started_at;  // RFC 3339, "" when never started
    std::string created_at;
    std::int64_t pid = 0;                    // of process 1 in the host's view; 0 unless running
    std::vector<std::string> networks;       // every network that the container is joined to
    std::vector<std::string> gateways;       // the host's address in each of them, all families
    std::vector<std::string> image_volumes;  // targets of anonymous volumes that the image declares
    std::vector<std::string>
        weaknesses;  // settings that undo isolation: "privileged", "host network"
    std::map<std::string, std::string> labels;
    SandboxSpec effective = SandboxSpec::unreported();
    static Result<SandboxStatus> from_json(const Json& json);
};

struct ExecRequest {
    SandboxRef sandbox;
    std::vector<std::string> argv;  // UTF-8; never empty
    std::map<std::string, std::string> env;
    std::string cwd;
    std::string user;  // "uid:gid", a name, or "" = the container's
    static Result<ExecRequest> from_json(const Json& json);
};

// See alca_runtime_1.run_net_helper.
struct NetHelperRequest {
    std::string archive;  // absolute path of a tar file on the host
    bool inside = false;  // in the namespace of `sandbox`, which runs; else where the engine routes
    SandboxRef sandbox;
    static Result<NetHelperRequest> from_json(const Json& json);
};

// Byte streams of a command; as alca_stdio. Borrowed for the call.
struct Stdio {
    int in = -1;
    int out = -1;
    int err = -1;
    bool tty = false;
    int resize_fd = -1;
};

void to_json(Json& json, const RuntimeProbe& value);
void to_json(Json& json, const Mount& value);
void to_json(Json& json, const Port& value);
void to_json(Json& json, const NetworkSpec& value);
void to_json(Json& json, const SandboxSpec& value);
void to_json(Json& json, const SandboxRef& value);
void to_json(Json& json, const PreparedImage& value);
void to_json(Json& json, const PreparedNetwork& value);
void to_json(Json& json, const Prepared& value);
void to_json(Json& json, const Created& value);
void to_json(Json& json, const SandboxStatus& value);
void to_json(Json& json, const ExecRequest& value);
void to_json(Json& json, const NetHelperRequest& value);

// One container engine. Calls on one object come one at a time. All methods may be repeated after a
// crash: making what exists already with the same specification, or removing what is gone,
// succeeds.
class Runtime {
  public:
    virtual ~Runtime() = default;

    // Never fails because no engine is there: that is available = false with a reason.
    [[nodiscard]] virtual Result<RuntimeProbe> probe(const Call& call) = 0;
    // Pulls the image if it is absent (with progress) and makes the network. Starts nothing.
    [[nodiscard]] virtual Result<Prepared> prepare(const Call& call, const SandboxSpec& spec) = 0;
    [[nodiscard]] virtual Result<Created> create(const Call& call, const SandboxSpec& spec) = 0;
    [[nodiscard]] virtual Result<void> start(const Call& call, const SandboxRef& ref) = 0;
    // Ends what runs in it; it can be started again. Not running is success.
    [[nodiscard]] virtual Result<void> stop(const Call& call, const SandboxRef& ref) {
        static_cast<void>(call);
        static_cast<void>(ref);
        return fail(Code::unsupported, "this runtime cannot stop a sandbox and keep it");
    }
    // Stops it (process 1 ends on SIGTERM), removes container and network; volumes stay.
    // keep_network: leaves the network, for a rebuild.
    [[nodiscard]] virtual Result<void> remove(const Call& call, const SandboxRef& ref,
                                              bool keep_network) = 0;
    [[nodiscard]] virtual Result<SandboxStatus> status(const Call& call, const SandboxRef& ref) = 0;
    [[nodiscard]] virtual Result<std::vector<SandboxStatus>> list(const Call& call) = 0;
    // Runs a command and pumps its bytes until it has ended. Returns its exit code, 0..255.
    [[nodiscard]] virtual Result<int> exec(const Call& call, const ExecRequest& request,
                                           const Stdio& io) = 0;

    [[nodiscard]] virtual Result<int> run_net_helper(const Call& call,
                                                     const NetHelperRequest& request,
                                                     const Stdio& io) {
        static_cast<void>(call);
        static_cast<void>(request);
        static_cast<void>(io);
        return fail(Code::unsupported, "this runtime cannot start alca-net");
    }

  protected:
    Runtime() = default;
    Runtime(const Runtime&) = default;
    Runtime& operator=(const Runtime&) = default;
};

}  // namespace alca

#include "alca/detail/runtime_json.hpp"  // IWYU pragma: keep

#endif
