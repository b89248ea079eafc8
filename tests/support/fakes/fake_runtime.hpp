// A container engine that is two maps. Keeps what was made, honours names, labels and order as a
// real one does, and answers questions from that state alone.
#ifndef ALCA_TESTS_SUPPORT_FAKES_FAKE_RUNTIME_HPP
#define ALCA_TESTS_SUPPORT_FAKES_FAKE_RUNTIME_HPP

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alca/runtime.hpp"
#include "tests/support/fakes/fake_firewall.hpp"
#include "tests/support/fakes/inside_report.hpp"
#include "tests/support/fakes/journal.hpp"

namespace alca::fakes {

// A command as it came through the stub's first frame.
struct InsideCommand {
    std::string user;
    std::string cwd;
    std::vector<std::string> argv;
    std::vector<std::string> env;  // "NAME=value"
    std::uint32_t flags = 0;
};

// What `alca run` sends to the stub: docs/reference/run-protocol.md.
struct Frame {
    std::uint32_t type = 0;
    std::string payload;
};
// Waits for the next frame on `in`, at most ten seconds. nullopt: the end of the stream, or a part
// of a frame before it.
[[nodiscard]] std::optional<Frame> read_frame(int in);

// Reads the command frame at the front of `in`. nullopt: the stream begins otherwise.
[[nodiscard]] std::optional<InsideCommand> read_command_frame(int in);

class FakeRuntime final : public Runtime {
  public:
    // The firewall is the other half of the kernel: it decides what a probe from inside sees.
    FakeRuntime(Journal& journal, FakeFirewall& firewall) : journal_(journal), firewall_(firewall) {
        probe_answer.available = true;
        probe_answer.engine = "Fake";
        probe_answer.shares_kernel = true;
    }

    static constexpr std::int64_t kPid = 4711;  // of every sandbox that runs

    RuntimeProbe probe_answer;  // available until a test says otherwise
    bool tells_pid = true;
    std::string image_user;
    std::vector<std::string> gateways{"172.30.0.17"};
    std::map<std::string, SandboxStatus> containers;  // by name
    std::map<std::string, std::string> networks;      // name -> interface
    std::vector<InsideCommand> commands;              // what the stub was asked to run

    // Changes what the engine gives a container at its creation.
    std::function<void(SandboxStatus&)> distort;
    // Changes what is seen from inside.
    std::function<void(InsideReport&)> spoil;
    // Replaces the stub: the default notes the command and answers exit_code.
    std::function<Result<int>(const Call&, const ExecRequest&, const Stdio&)> stub;
    int exit_code = 0;

    [[nodiscard]] Result<RuntimeProbe> probe(const Call& call) override;
    [[nodiscard]] Result<Prepared> prepare(const Call& call, const SandboxSpec& spec) override;
    [[nodiscard]] Result<Created> create(const Call& call, const SandboxSpec& spec) override;
    [[nodiscard]] Result<void> start(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<void> stop(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<void> remove(const Call& call, const SandboxRef& ref,
                                      bool keep_network) override;
    [[nodiscard]] Result<SandboxStatus> status(const Call& call, const SandboxRef& ref) override;
    [[nodiscard]] Result<std::vector<SandboxStatus>> list(const Call& call) override;
    [[nodiscard]] Result<int> exec(const Call& call, const ExecRequest& request,
                                   const Stdio& io) override;
    // Says hello and waits for the end of its input.
    [[nodiscard]] Result<int> run_net_helper(const Call& call, const NetHelperRequest& request,
                                             const Stdio& io) override;

  private:
    [[nodiscard]] SandboxStatus* find(const SandboxRef& ref);
    [[nodiscard]] Result<SandboxStatus*> find_ours(const SandboxRef& ref);
    [[nodiscard]] Result<int> verify(const SandboxStatus& sandbox, const ExecRequest& request,
                                     const Stdio& io) const;

    Journal& journal_;
    FakeFirewall& firewall_;
    int made_ = 0;
};

}  // namespace alca::fakes

#endif
