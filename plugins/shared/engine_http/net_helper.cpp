#include "plugins/shared/engine_http/net_helper.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "plugins/shared/engine_http/digest.hpp"
#include "plugins/shared/engine_http/pump.hpp"
#include "plugins/shared/engine_http/small_file.hpp"

namespace alca::engine_http {

namespace {

constexpr const char* kImageName = "alca-net";
constexpr std::size_t kTagDigits = 16;
constexpr std::int64_t kMemoryBytes = std::int64_t{64} << 20;
constexpr int kProcesses = 8;
constexpr unsigned kNotFound = 404;

// The id of the image, which holds the archive with this digest and nothing else; "": none of that
// name. Anybody who may use the engine could have given the name to another image.
Result<std::string> find_image(Engine& engine, const Call& call, const std::string& image,
                               const std::string& digest) {
    const auto reply = engine.get(call, fmt::format("/images/{}/json", image));
    if (!reply) return fail(reply.error());
    if (reply->status == kNotFound) return std::string();
    const std::string action = fmt::format("cannot read the image {}", image);
    if (!reply->is_ok()) return fail(reply->error(action));
    std::string id;
    Json root = Json::object();
    std::vector<std::string> layers;
    JsonReader in(reply->json, "image");
    in.require("Id", id);
    in.read("RootFS", root);
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    JsonReader root_in(root, "image.RootFS");
    root_in.read("Layers", layers);
    if (auto read = root_in.done(true); !read) return fail(read.error(), action);
    if (layers == std::vector{"sha256:" + digest}) return id;
    return fail(Code::denied,
                fmt::format("the image {} is not what alca has made; remove it: docker rmi {}",
                            image, image));
}

Result<std::string> ensure_image(Engine& engine, const Call& call, const std::string& archive) {
    auto content = read_small_file(archive);
    if (!content) return fail(content.error(), archive);
    std::optional<std::string>& bytes = *content;
    if (!bytes) {
        return fail(Code::not_found,
                    fmt::format("a part of alca is missing; install it again: {}", archive));
    }
    const std::string digest = sha256_hex(*bytes);
    const std::string tag = digest.substr(0, kTagDigits);
    const std::string image = fmt::format("{}:{}", kImageName, tag);
    auto id = find_image(engine, call, image, digest);
    if (!id || !id->empty()) return id;
    const std::string action = fmt::format("cannot make the image {}", image);
    const auto made =
        engine.upload(call, fmt::format("/images/create?fromSrc=-&repo={}&tag={}", kImageName, tag),
                      *std::move(bytes));
    if (!made) return fail(made.error());
    if (!made->is_ok()) return fail(made->error(action));
    // An engine tells what goes wrong on the way in the body of a success.
    id = find_image(engine, call, image, digest);
    if (id && id->empty()) return fail(action + ": is the engine's disk full?");
    return id;
}

Json create_body_of(const std::string& image, const std::string& container) {
    Json host{{"NetworkMode", container.empty() ? "host" : "container:" + container},
              {"CapDrop", Json::array({"ALL"})},
              {"CapAdd", Json::array({"NET_ADMIN"})},
              {"SecurityOpt", Json::array({"no-new-privileges"})},
              {"Privileged", false},
              {"ReadonlyRootfs", true},
              {"PidsLimit", kProcesses},
              {"Memory", kMemoryBytes},
              {"IpcMode", "private"},
              {"CgroupnsMode", "private"},
              {"AutoRemove", true},
              {"LogConfig", {{"Type", "none"}, {"Config", Json::object()}}}};
    // Where the daemon maps users, the machine's own namespace belongs to the unmapped root.
    if (container.empty()) host["UsernsMode"] = "host";
    return {{"Image", image},
            {"Entrypoint", Json::array({"/alca-net"})},
            {"Cmd", Json::array()},
            {"User", "0:0"},
            {"OpenStdin", true},
            {"StdinOnce", true},
            {"AttachStdin", true},
            {"AttachStdout", true},
            {"AttachStderr", true},
            {"Tty", false},
            {"Healthcheck", {{"Test", Json::array({"NONE"})}}},
            {"Labels", {{kNetHelperLabel, "1"}}},
            {"HostConfig", std::move(host)}};
}

Result<std::string> create(Engine& engine, const Call& call, const std::string& image,
                           const std::string& container) {
    const std::string action = "cannot make the container that puts up network rules";
    auto reply = engine.make(call, "/containers/create", create_body_of(image, container));
    if (!reply) return fail(reply.error());
    if (!reply->is_ok()) return fail(reply->error(action));
    std::string id;
    JsonReader in(reply->json, "create");
    in.require("Id", id);
    if (auto read = in.done(true); !read) return fail(read.error(), action);
    return id;
}

Result<void> attach_and_start(Engine& engine, const Call& call, const std::string& id,
                              const Stdio& io) {
    const std::string path = "/containers/" + url_escape(id);
    const std::string action = "cannot start the container that puts up network rules";
    auto stream =
        engine.upgrade(call, path + "/attach?stream=1&stdin=1&stdout=1&stderr=1", nullptr, action);
    if (!stream) return fail(stream.error());
    const auto started = engine.post(call, path + "/start");
    if (!started) return fail(started.error());
    if (!started->is_ok()) return fail(started->error(action));
    const auto end = pump(call, *std::move(stream), io, [](alca_winsize) {});
    if (!end) return fail(end.error());
    return {};
}

class WithoutCancel final : public Call {
  public:
    explicit WithoutCancel(const Call& call) : call_(call) {}
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(LogLevel level, std::string_view line) const override { call_.log(level, line); }
    void progress(const Progress& progress) const override { call_.progress(progress); }

  private:
    const Call& call_;
};

}  // namespace

Result<void> run_net_helper(Engine& engine, const Call& call, const std::string& archive,
                            const std::string& container, const Stdio& io) {
    const auto image = ensure_image(engine, call, archive);
    if (!image) return fail(image.error());
    const auto id = create(engine, call, *image, container);
    if (!id) return fail(id.error());
    auto ran = attach_and_start(engine, call, *id, io);
    // The engine removes it when it ends. What never started, or does not end, is removed here; and
    // nothing of it is there any more when this returns.
    const WithoutCancel until_gone(call);
    const auto removed =
        engine.remove(until_gone, "/containers/" + url_escape(*id) + "?force=true&v=true");
    const auto gone =
        engine.post(until_gone, "/containers/" + url_escape(*id) + "/wait?condition=removed");
    for (const auto* reply : {&removed, &gone}) {
        if (!*reply) call.log(LogLevel::info, "net helper: " + reply->error().message);
    }
    return ran;
}

}  // namespace alca::engine_http
