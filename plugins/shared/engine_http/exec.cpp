#include "plugins/shared/engine_http/exec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "plugins/shared/engine_http/pump.hpp"

namespace alca::engine_http {

namespace {

using std::chrono::milliseconds;

constexpr int kExitBySigpipe = 141;
// A sequence that nobody types: an empty one would mean ctrl-p,ctrl-q, which people do type.
constexpr const char* kNoDetachKeys = "ctrl-^,ctrl-^,ctrl-^,ctrl-^";
constexpr ApiVersion kConsoleSizeSince{1, 42};
constexpr milliseconds kLongestPause{50};  // between two looks at whether a command has ended

Result<std::string> create_exec(Engine& engine, const Call& call, const std::string& container,
                                const ExecRequest& request, const Stdio& io) {
    Json env = Json::array();
    for (const auto& [name, value] : request.env) env.push_back(fmt::format("{}={}", name, value));
    const Json body{{"AttachStdin", io.in >= 0},  {"AttachStdout", true},
                    {"AttachStderr", true},       {"Tty", io.tty},
                    {"Cmd", request.argv},        {"Env", std::move(env)},
                    {"WorkingDir", request.cwd},  {"User", request.user},
                    {"DetachKeys", kNoDetachKeys}};
    auto reply = engine.post(call, "/containers/" + url_escape(container) + "/exec", body);
    if (!reply) return fail(reply.error());
    const std::string action = "cannot run a command in the sandbox";
    if (!reply->is_ok()) return fail(reply->error(action));
    std::string id;
    JsonReader in(reply->json, "exec");
    in.require("Id", id);
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    return id;
}

// What exec inspect tells about the end.
struct ExecState {
    bool running = true;
    std::int64_t exit_code = 0;
    std::int64_t pid = -1;  // 0: the engine could start no process; -1: it does not say
};

Result<ExecState> exec_state(Engine& engine, const Call& call, const std::string& id) {
    auto reply = engine.get(call, "/exec/" + url_escape(id) + "/json");
    if (!reply) return fail(reply.error());
    const std::string action = "the command's exit code is not known";
    if (!reply->is_ok()) return fail(reply->error(action));
    ExecState state;
    JsonReader in(reply->json, "exec");
    in.require("Running", state.running);
    in.read("Pid", state.pid);
    in.read("ExitCode", state.exit_code);  // null while it runs
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    return state;
}

// The stream may end before the command has: it may have closed its output, or the engine may not
// have seen its end yet.
Result<int> wait_for_exit(Engine& engine, const Call& call, const std::string& id,
                          const std::string& user) {
    const Wait wait(call, milliseconds::zero());
    for (milliseconds pause{1};; pause = std::min(pause * 2, kLongestPause)) {
        auto state = exec_state(engine, call, id);
        if (!state) return fail(state.error());
        // Without a process the code is the engine's own word, not the command's.
        if (!state->running && state->pid == 0) {
            return fail(fmt::format(
                "the engine could not start a command in the sandbox as user \"{}\"; its message "
                "is above",
                user));
        }
        if (!state->running) return static_cast<int>(state->exit_code & 0xFF);
        if (auto waited = wait.for_pause(pause); !waited) return fail(waited.error());
    }
}

Json start_body(const Server& server, const Stdio& io, std::optional<alca_winsize> size) {
    Json body{{"Detach", false}, {"Tty", io.tty}};
    if (size && server.api >= kConsoleSizeSince) {
        body["ConsoleSize"] = Json::array({size->rows, size->cols});
    }
    return body;
}

}  // namespace

Result<int> run_exec(Engine& engine, const Call& call, const std::string& container,
                     const ExecRequest& request, const Stdio& io) {
    if (request.argv.empty()) return fail(Code::invalid, "no command to run");
    auto server = engine.negotiate(call);
    if (!server) return fail(server.error());
    auto id = create_exec(engine, call, container, request, io);
    if (!id) return fail(id.error());

    const auto resize = [&](alca_winsize size) {
        // A command that has just ended cannot be resized: nothing that anybody needs to know.
        const auto reply = engine.post(
            call, fmt::format("/exec/{}/resize?h={}&w={}", url_escape(*id), size.rows, size.cols));
        if (!reply) call.log(LogLevel::debug, "resize: " + reply.error().message);
    };
    const auto first_size = newest_size(io.resize_fd);
    auto stream = engine.upgrade(call, "/exec/" + url_escape(*id) + "/start",
                                 start_body(*server, io, first_size),
                                 "cannot start a command in the sandbox");
    if (!stream) return fail(stream.error());
    if (first_size && server->api < kConsoleSizeSince) resize(*first_size);
    auto end = pump(call, *std::move(stream), io, resize);
    if (!end) return fail(end.error());
    if (*end == PumpEnd::reader_is_gone) return kExitBySigpipe;
    return wait_for_exit(engine, call, *id, request.user);
}

}  // namespace alca::engine_http
