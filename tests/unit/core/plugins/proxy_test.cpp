// The proxies over plugins that answer wrongly, and over one that answers rightly.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "alca/plugin.hpp"
#include "core/plugins/firewall_proxy.hpp"
#include "core/plugins/presets_proxy.hpp"
#include "core/plugins/runtime_proxy.hpp"
#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using test::RecordingCall;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// ---- a C plugin that misbehaves ---------------------------------------------------------------

class MisbehaviourTest : public ::testing::Test {
  protected:
    [[nodiscard]] std::unique_ptr<Presets> presets(const std::string& mode) {
        if (!loader) {
            dir.add("misbehaves");
            loader = std::make_unique<Loader>(dir.scan(), breadcrumb);
        }
        auto made = loader->presets(call, "misbehaves", R"({"mode":")" + mode + "\"}");
        if (!made) throw std::runtime_error(made.error().message);
        return std::move(*made);
    }
    [[nodiscard]] Error error_of(const std::string& mode) {
        const auto list = presets(mode)->list(call);
        return list ? Error{Code::failed, "no error"} : list.error();
    }

    test::PluginDir dir;
    os::Breadcrumb breadcrumb;
    RecordingCall call;
    std::unique_ptr<Loader> loader;
};

TEST_F(MisbehaviourTest, AnswersThatDoNotHoldAreErrorsThatNameThePlugin) {
    const std::string start = "plugin misbehaves: list: ";
    EXPECT_EQ(error_of("not-json").message, start + "answer: not valid JSON");
    EXPECT_EQ(error_of("not-utf8").message, start + "answer: not valid JSON");
    EXPECT_EQ(error_of("array").message, start + "answer: expected a JSON object");
    EXPECT_EQ(error_of("too-large").message, start + "answer is larger than 16777216 bytes");
    EXPECT_EQ(error_of("missing").message, start + "answer.presets is missing");
    EXPECT_EQ(error_of("nothing").message, start + "answer.presets is missing");
    EXPECT_THAT(error_of("wrong-type").message, HasSubstr(start + "answer.presets: preset.name"));
}

TEST_F(MisbehaviourTest, AFailureWithoutAMessageStillSaysWhatFailed) {
    const Error error = error_of("silent-failure");
    EXPECT_EQ(error.code, Code::unavailable);
    EXPECT_EQ(error.message, "plugin misbehaves: list failed with code -3");
}

TEST_F(MisbehaviourTest, ACodeThatIsNotKnownIsFailed) {
    EXPECT_EQ(error_of("unknown-code").code, Code::failed);
}

TEST_F(MisbehaviourTest, ControlBytesDoNotReachTheTerminal) {
    const Error error = error_of("control-bytes");
    EXPECT_EQ(error.code, Code::not_found);
    EXPECT_EQ(error.message, "red  [31m and    c1");
}

TEST_F(MisbehaviourTest, AMissingSlotIsUnsupported) {
    const auto files = presets("ok")->render(call, {});
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, Code::unsupported);
    EXPECT_EQ(files.error().message,
              "plugin misbehaves does not offer render; install a later version of it");
}

TEST_F(MisbehaviourTest, ProgressAndLogArriveCleaned) {
    ASSERT_TRUE(presets("progress")->list(call));
    ASSERT_EQ(call.steps.size(), 1U);
    EXPECT_EQ(call.steps[0].step, "pull ");
    EXPECT_EQ(call.steps[0].done, 1U);
    EXPECT_EQ(call.steps[0].total, 2U);
    EXPECT_EQ(call.steps[0].unit, "bytes");
    EXPECT_THAT(
        call.lines,
        ElementsAre(std::pair(LogLevel::debug, std::string("misbehaves: progress: not valid JSON")),
                    std::pair(LogLevel::error, std::string("misbehaves: loud "))));
}

TEST_F(MisbehaviourTest, AHangingCallEndsWhenItIsCancelled) {
    const os::Fd cancel(::eventfd(0, EFD_CLOEXEC));
    call.cancel = cancel.get();
    const auto plugin = presets("hang");
    std::jthread user([&] { ASSERT_EQ(::eventfd_write(cancel.get(), 1), 0); });
    const auto list = plugin->list(call);
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, Code::cancelled);
}

// ---- every method there and back --------------------------------------------------------------

SandboxSpec full_spec() {
    SandboxSpec spec;
    spec.id = "id";
    spec.image = "alpine";
    spec.init = {"/init", "--x"};
    spec.env = {{"A", "1"}};
    spec.mounts = {{"/src", "", "/dst", true}};
    spec.ports = {{"127.0.0.1", 80, 8080, "tcp"}};
    spec.capabilities = {"CHOWN"};
    spec.memory_bytes = std::int64_t{1} << 40;
    spec.network = {"n", "alca0", true};
    return spec;
}

// Keeps what it was asked in `seen`, as JSON, and answers with data that tells the methods apart.
class Echo final : public Runtime {
  public:
    static Result<std::unique_ptr<Echo>> make(const Json&) { return std::make_unique<Echo>(); }

    Result<RuntimeProbe> probe(const Call&) override {
        RuntimeProbe probe;
        probe.available = true;
        probe.engine = "Echo";
        return probe;
    }
    Result<Prepared> prepare(const Call& call, const SandboxSpec& spec) override {
        call.log(LogLevel::info, dump(Json(spec)));
        return Prepared{{"sha256:1", "root", {{"B", "2"}}, true},
                        {"net", "alca0", {"s"}, {"g"}, true}};
    }
    Result<Created> create(const Call& call, const SandboxSpec& spec) override {
        call.log(LogLevel::info, dump(Json(spec)));
        return Created{"c1"};
    }
    Result<void> start(const Call& call, const SandboxRef& ref) override {
        call.log(LogLevel::info, "start " + ref.id);
        return {};
    }
    Result<void> stop(const Call& call, const SandboxRef& ref) override {
        call.log(LogLevel::info, "stop " + ref.id);
        return {};
    }
    Result<void> remove(const Call& call, const SandboxRef& ref, bool keep_network) override {
        call.log(LogLevel::info, "remove " + ref.id + (keep_network ? " keep" : ""));
        return {};
    }
    Result<SandboxStatus> status(const Call&, const SandboxRef& ref) override {
        SandboxStatus status;
        status.state = SandboxState::running;
        status.container_id = ref.container_id;
        status.effective = full_spec();
        return status;
    }
    Result<std::vector<SandboxStatus>> list(const Call&) override {
        return std::vector<SandboxStatus>(2);
    }
    Result<int> exec(const Call&, const ExecRequest& request, const Stdio& io) override {
        if (request.argv.at(0) == "big") return 256;
        if (::write(io.out, "out", 3) != 3) return fail("write");
        return io.tty && io.resize_fd == 9 ? 7 : 0;
    }
    Result<int> run_net_helper(const Call&, const NetHelperRequest& request,
                               const Stdio& io) override {
        return fail(request.archive + " in " + request.sandbox.container_id + " with " +
                    std::to_string(io.in) + " and " + std::to_string(io.out));
    }
};

class NoFirewall final : public Firewall {
  public:
    static Result<std::unique_ptr<NoFirewall>> make(const Json&) {
        return std::make_unique<NoFirewall>();
    }
    Result<FirewallProbe> probe(const Call&) override {
        return FirewallProbe{true, false, "l", false, true, "", true, true, true};
    }
    Result<void> apply(const Call&, const FirewallRequest& request) override {
        return fail(Code::denied, request.interface + " " + std::string(to_string(request.policy)));
    }
    Result<FirewallVerdict> verify(const Call&, const FirewallRequest& request) override {
        return FirewallVerdict{false, request.dns.at(0)};
    }
    Result<void> remove(const Call&, const FirewallRequest&) override { return {}; }
    Result<std::vector<std::string>> list(const Call&) override {
        return std::vector<std::string>{"alca1"};
    }
    Result<void> connect(const Call&, int fd) override {
        return fail(Code::unavailable, "nobody at " + std::to_string(fd));
    }
    Result<FirewallReport> report(const Call&, const FirewallRequest& request) override {
        return FirewallReport{{{"lan", request.allow.size()}},
                              {{request.allow.at(0).to, "udp", 53, ~0ULL}}};
    }
};

class RoundTripTest : public ::testing::Test {
  protected:
    using Set = detail::PluginSet<Echo, NoFirewall>;
    static constexpr alca_plugin kDescriptor{
        sizeof(alca_plugin),   ALCA_ABI_MINOR, "echo",      "1.0.0",
        Set::kProvides.data(), Set::query,     Set::create, Set::destroy};

    [[nodiscard]] std::unique_ptr<Instance> instance() {
        return std::move(*Instance::make(library, breadcrumb, call, ""));
    }
    [[nodiscard]] std::string last_line() const { return call.lines.back().second; }

    Library library{"echo", &kDescriptor};
    os::Breadcrumb breadcrumb;
    RecordingCall call;
    SandboxRef ref{"id", "name", "c1", "net"};
    RuntimeProxy runtime{instance(),
                         *static_cast<const alca_runtime_1*>(Set::query(ALCA_RUNTIME_1))};
    FirewallProxy firewall{instance(),
                           *static_cast<const alca_firewall_1*>(Set::query(ALCA_FIREWALL_1))};
};

TEST_F(RoundTripTest, AllowedDestinationsAndTheReportArriveWhole) {
    FirewallRequest request;
    request.allow = {{.to = "fd00::/8", .protocols = {"udp"}, .ports = {{53, 54}}}, {.to = "host"}};
    const auto report = firewall.report(call, request);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->refused.at("lan"), 2U);
    ASSERT_EQ(report->blocked.size(), 1U);
    EXPECT_EQ(report->blocked[0], (BlockedTarget{"fd00::/8", "udp", 53, ~0ULL}));
    EXPECT_EQ(FirewallRequest::from_json(Json(request))->allow, request.allow);
    request.strict = true;
    EXPECT_TRUE(FirewallRequest::from_json(Json(request))->strict);
    EXPECT_TRUE(firewall.probe(call)->strict);
}

TEST_F(RoundTripTest, ProxyAndLimitsArriveWhole) {
    FirewallRequest request;
    EXPECT_FALSE(FirewallRequest::from_json(Json(request))->proxy.has_value());
    EXPECT_EQ(FirewallRequest::from_json(Json(request))->limits, TrafficLimits{});
    request.proxy = TcpProxy{.to = "fd00::1", .port = 1080};
    request.limits = {.bytes_per_second = 1ULL << 40, .new_connections_per_second = 100};
    const auto arrived = FirewallRequest::from_json(Json(request));
    ASSERT_TRUE(arrived) << arrived.error().message;
    EXPECT_EQ(arrived->proxy, request.proxy);
    EXPECT_EQ(arrived->limits, request.limits);
    Json without_port = Json(request);
    without_port["proxy"]["port"] = 0;
    EXPECT_FALSE(FirewallRequest::from_json(without_port));
}

TEST_F(RoundTripTest, AnUnknownInterfaceHasNoTable) {
    EXPECT_EQ(Set::query("org.example.gpu/1"), nullptr);
}

TEST_F(RoundTripTest, SpecificationArrivesWhole) {
    const std::string sent = "echo: " + dump(Json(full_spec()));
    const auto prepared = runtime.prepare(call, full_spec());
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_EQ(last_line(), sent);
    EXPECT_TRUE(prepared->image.pulled);
    EXPECT_EQ(prepared->network.gateways, std::vector<std::string>{"g"});
    const auto created = runtime.create(call, full_spec());
    ASSERT_TRUE(created);
    EXPECT_EQ(last_line(), sent);
    EXPECT_EQ(created->container_id, "c1");
}

TEST_F(RoundTripTest, LifeCycleMethodsReachTheirOwn) {
    ASSERT_TRUE(runtime.start(call, ref));
    EXPECT_EQ(last_line(), "echo: start id");
    ASSERT_TRUE(runtime.stop(call, ref));
    EXPECT_EQ(last_line(), "echo: stop id");
    ASSERT_TRUE(runtime.remove(call, ref, true));
    EXPECT_EQ(last_line(), "echo: remove id keep");
    ASSERT_TRUE(runtime.remove(call, ref, false));
    EXPECT_EQ(last_line(), "echo: remove id");
}

TEST_F(RoundTripTest, StatusAndListComeBackWhole) {
    const auto probe = runtime.probe(call);
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->engine, "Echo");
    const auto status = runtime.status(call, ref);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->state, SandboxState::running);
    EXPECT_EQ(Json(status->effective), Json(full_spec()));
    const auto list = runtime.list(call);
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(list->size(), 2U);
}

TEST_F(RoundTripTest, ExecPassesStreamsAndCode) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const os::Fd read(ends[0]);
    os::Fd write(ends[1]);
    ExecRequest request;
    request.sandbox = ref;
    request.argv = {"cmd"};
    const auto code = runtime.exec(call, request, {-1, write.get(), -1, true, 9});
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 7);
    char text[4] = {};
    EXPECT_EQ(::read(read.get(), text, 3), 3);
    EXPECT_STREQ(text, "out");
}

TEST_F(RoundTripTest, AnExitCodeOutOfRangeIsRefused) {
    ExecRequest request;
    request.sandbox = ref;
    request.argv = {"big"};
    const auto code = runtime.exec(call, request, {});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().message, "plugin echo: exec: exit code 256 is out of range");
}

TEST_F(RoundTripTest, FirewallMethodsReachTheirOwn) {
    FirewallRequest request;
    request.sandbox_id = "id";
    request.interface = "alca1";
    request.policy = NetworkPolicy::open;
    request.dns = {"192.0.2.1"};
    EXPECT_EQ(firewall.probe(call)->layer, "l");
    const auto applied = firewall.apply(call, request);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, Code::denied);
    EXPECT_EQ(applied.error().message, "alca1 open");
    EXPECT_EQ(firewall.verify(call, request)->problem, "192.0.2.1");
    EXPECT_TRUE(firewall.remove(call, request));
    EXPECT_THAT(*firewall.list(call), ElementsAre("alca1"));
    EXPECT_TRUE(firewall.probe(call)->enters);
    const auto connected = firewall.connect(call, 12);
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().code, Code::unavailable);
    EXPECT_EQ(connected.error().message, "nobody at 12");
}

TEST_F(RoundTripTest, TheLayerOfARequestArrivesWhole) {
    FirewallRequest request;
    request.layer = FirewallLayer::inside;
    request.pid = 1234;
    request.gateways = {"10.0.0.1"};
    request.published = {{.protocol = "udp", .port = 53}};
    const auto back = FirewallRequest::from_json(Json(request));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->layer, FirewallLayer::inside);
    EXPECT_EQ(back->pid, 1234);
    EXPECT_EQ(back->gateways, request.gateways);
    EXPECT_EQ(back->published, request.published);
    Json json(request);
    json["layer"] = "below";
    EXPECT_FALSE(FirewallRequest::from_json(json));
}

TEST_F(RoundTripTest, TheNetHelperGetsItsStreams) {
    const NetHelperRequest request{.archive = "/a.tar", .inside = true, .sandbox = ref};
    const auto code = runtime.run_net_helper(call, request, {.in = 7, .out = 8});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().message, "/a.tar in c1 with 7 and 8");
}

}  // namespace
}  // namespace alca::plugins
