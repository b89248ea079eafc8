#include "plugins/shared/engine_http/pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "plugins/shared/engine_http/json_lines.hpp"
#include "plugins/shared/engine_http/registry_auth.hpp"

namespace alca::engine_http {

namespace {

// No layer is larger; what an engine says must not make the sum of all wrap around.
constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{1} << 50;

constexpr auto kReportInterval = std::chrono::milliseconds(100);

// The name goes into a path as it is, so it must not be able to lead elsewhere: components between
// slashes start with a letter or digit. What else makes a name valid is for the engine to say.
bool is_image_name(std::string_view name) {
    bool at_start = true;
    for (const char c : name) {
        const bool is_alnum = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (at_start && !is_alnum) return false;
        if (!is_alnum && std::string_view("._-:@/").find(c) == std::string_view::npos) return false;
        at_start = c == '/';
    }
    return !at_start;
}

// Without a tag or digest an engine may pull every tag of the repository.
std::string with_tag(const std::string& image) {
    const std::size_t slash = image.rfind('/');
    const std::size_t last = slash == std::string::npos ? 0 : slash;
    return image.find_first_of(":@", last) == std::string::npos ? image + ":latest" : image;
}

Result<PreparedImage> image_of(const Json& json) {
    PreparedImage image;
    Json config = Json::object();
    std::vector<std::string> env;
    JsonReader in(json, "image");
    in.require("Id", image.id);
    in.read("Config", config);
    if (!in.ok()) return in.done(std::move(image));
    JsonReader config_in(config, "image.Config");
    config_in.read("User", image.user);
    config_in.read("Env", env);
    for (const std::string& entry : env) {
        const std::size_t equals = entry.find('=');
        if (equals == std::string::npos) continue;
        image.env.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return config_in.done(std::move(image));
}

// nullopt: the engine does not have it.
Result<std::optional<PreparedImage>> find_image(Engine& engine, const Call& call,
                                                const std::string& name) {
    auto reply = engine.get(call, "/images/" + name + "/json");
    if (!reply) return fail(reply.error());
    if (reply->status == 404) return std::nullopt;
    const std::string action = "cannot read image " + name;
    if (!reply->is_ok()) return fail(reply->error(action));
    auto image = image_of(reply->json);
    if (!image) return fail(image.error(), action);
    return std::optional<PreparedImage>(*std::move(image));
}

Result<void> pull(Engine& engine, const Call& call, const std::string& name,
                  const Environment& environment) {
    const std::string action = "cannot pull image " + name;
    auto auth = registry_auth(call, registry_of(name), environment);
    if (!auth) return fail(auth.error(), action);
    std::vector<std::pair<std::string, std::string>> headers;
    if (!auth->empty()) headers.emplace_back("X-Registry-Auth", *auth);

    PullProgress progress(call, name);
    JsonLines lines([&progress](const Json& event) { return progress.take(event); });
    auto reply = engine.post(call, "/images/create?fromImage=" + url_escape(with_tag(name)),
                             std::move(headers),
                             [&lines](std::string_view piece) { return lines.feed(piece); });
    if (!reply) return fail(reply.error(), action);
    if (!reply->is_ok()) return fail(reply->error(action));
    if (auto finished = lines.finish(); !finished) return fail(finished.error(), action);
    progress.finish();
    return {};
}

}  // namespace

PullProgress::PullProgress(const Call& call, std::string_view image)
    : call_(call), step_(fmt::format("pulling {}", image)) {}

Result<void> PullProgress::take(const Json& event) {
    std::string error;
    std::string id;
    std::string status;
    Json detail = Json::object();
    JsonReader in(event, "pull");
    in.read("error", error);
    in.read("id", id);
    in.read("status", status);
    in.read("progressDetail", detail);
    if (auto read = in.done(true); !read) return fail(read.error());
    if (!error.empty()) return fail(error);

    if (status == "Downloading") {
        Layer& layer = layers_[id];
        JsonReader detail_in(detail, "pull.progressDetail");
        detail_in.read("current", layer.done);
        detail_in.read("total", layer.total);
        if (auto read = detail_in.done(true); !read) return fail(read.error());
        layer.done = std::min(layer.done, kMaxLayerBytes);
        layer.total = std::min(layer.total, kMaxLayerBytes);
    } else if (status == "Download complete" || status == "Pull complete") {
        // A small layer may come without any step in between.
        const auto layer = layers_.find(id);
        if (layer != layers_.end()) layer->second.done = layer->second.total;
    }
    report(false);
    return {};
}

void PullProgress::finish() { report(true); }

void PullProgress::report(bool finished) {
    const auto now = std::chrono::steady_clock::now();
    if (!finished && now - last_report_ < kReportInterval) return;
    last_report_ = now;
    Progress progress{.step = step_, .unit = "bytes", .finished = finished};
    for (const auto& [id, layer] : layers_) {
        progress.done += layer.done;
        progress.total += std::max(layer.total, layer.done);
    }
    call_.progress(progress);
}

Result<PreparedImage> ensure_image(Engine& engine, const Call& call, const std::string& image,
                                   const Environment& environment) {
    if (!is_image_name(image)) {
        return fail(Code::invalid,
                    fmt::format("'{}' is not an image name, such as debian:12", image));
    }
    auto found = find_image(engine, call, image);
    if (!found) return fail(found.error());
    if (const std::optional<PreparedImage>& present = *found; present) return *present;
    if (auto pulled = pull(engine, call, image, environment); !pulled) return fail(pulled.error());
    found = find_image(engine, call, image);
    if (!found) return fail(found.error());
    std::optional<PreparedImage>& present = *found;
    if (!present) {
        return fail(Code::not_found, fmt::format("image {} is not there after the pull", image));
    }
    present->pulled = true;
    return *std::move(present);
}

}  // namespace alca::engine_http
