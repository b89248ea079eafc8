// The sample runtime: a sandbox is a JSON file, and its commands are plain processes of the host.
//
// It shows every method of alca::Runtime in the fewest lines, and lets tests run alca without an
// engine. It isolates nothing and says so in `weaknesses`: the host then refuses to use it unless
// the user passes --allow-unprotected.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "alca/plugin.hpp"
#include "alca/spawn.hpp"

namespace fs = std::filesystem;

namespace {

constexpr const char* kWeakness = "no isolation: commands run on this host as you";
constexpr std::chrono::seconds kGrace{5};

std::string now() {
    const std::time_t seconds = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[sizeof "2000-01-01T00:00:00Z"];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

alca::Result<void> write_file(const fs::path& file, const std::string& text) {
    // Replaced in one step: a crash leaves the old content or the new, never half of it.
    const std::string temporary = file.string() + ".new";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return alca::fail(temporary + " cannot be written");
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    if (!written || ::rename(temporary.c_str(), file.c_str()) != 0) {
        return alca::fail(file.string() + " cannot be written");
    }
    return {};
}

alca::Result<alca::Json> read_file(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return alca::fail(alca::Code::not_found, file.string() + " cannot be read");
    std::string text;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::read(fd, buffer, sizeof buffer)) > 0) {
        text.append(buffer, static_cast<std::size_t>(count));
    }
    ::close(fd);
    return alca::parse_object(text);
}

// The host's path for a path of the sandbox, through the bind mount that contains it.
std::string host_path(const std::vector<alca::Mount>& mounts, const std::string& inside) {
    for (const alca::Mount& mount : mounts) {
        if (mount.source.empty()) continue;
        if (inside == mount.target) return mount.source;
        if (inside.starts_with(mount.target + "/")) {
            return mount.source + inside.substr(mount.target.size());
        }
    }
    return inside;
}

class SampleRuntime final : public alca::Runtime {
  public:
    // settings.directory, else the variable ALCA_SAMPLE_DIR, is where the sandboxes' files are.
    static alca::Result<std::unique_ptr<SampleRuntime>> make(const alca::Json& settings) {
        std::string directory;
        if (const char* value = std::getenv("ALCA_SAMPLE_DIR"); value != nullptr) directory = value;
        alca::JsonReader in(settings, "settings");
        in.read("directory", directory);
        if (auto read = in.done(true); !read) return alca::fail(read.error());
        return std::make_unique<SampleRuntime>(std::move(directory));
    }

    explicit SampleRuntime(fs::path directory) : directory_(std::move(directory)) {}

    alca::Result<alca::RuntimeProbe> probe(const alca::Call&) override {
        alca::RuntimeProbe probe;
        probe.engine = "Sample";
        probe.version = ALCA_PLUGIN_VERSION;
        probe.endpoint = directory_.string();
        probe.endpoint_from = "ALCA_SAMPLE_DIR";
        probe.shares_kernel = true;
        std::error_code error;
        probe.available = directory_.is_absolute() && fs::is_directory(directory_, error);
        if (!probe.available) {
            probe.reason = "set ALCA_SAMPLE_DIR to an existing directory, as an absolute path";
        }
        return probe;
    }

    alca::Result<alca::Prepared> prepare(const alca::Call& call,
                                         const alca::SandboxSpec& spec) override {
        call.progress({.step = "preparing " + spec.image, .finished = true});
        alca::Prepared prepared;
        prepared.image.id = "sample:" + spec.image;
        prepared.network.id = "none";
        prepared.network.interface = spec.network.interface;
        return prepared;
    }

    alca::Result<alca::Created> create(const alca::Call&, const alca::SandboxSpec& spec) override {
        alca::SandboxStatus sandbox;
        sandbox.state = alca::SandboxState::created;
        sandbox.container_id = "sample-" + spec.id;
        sandbox.name = spec.name;
        sandbox.image = spec.image;
        sandbox.created_at = now();
        sandbox.weaknesses = {kWeakness};
        sandbox.labels = spec.labels;
        sandbox.effective = spec;
        if (auto saved = save(spec.id, sandbox); !saved) return alca::fail(saved.error());
        return alca::Created{sandbox.container_id};
    }

    alca::Result<void> start(const alca::Call&, const alca::SandboxRef& ref) override {
        auto sandbox = load(ref.id);
        if (!sandbox) return alca::fail(sandbox.error());
        if (sandbox->state == alca::SandboxState::running) return {};
        sandbox->state = alca::SandboxState::running;
        sandbox->started_at = now();
        return save(ref.id, *sandbox);
    }

    alca::Result<void> stop(const alca::Call&, const alca::SandboxRef& ref) override {
        auto sandbox = load(ref.id);
        if (!sandbox) return alca::fail(sandbox.error());
        if (sandbox->state != alca::SandboxState::running) return {};
        sandbox->state = alca::SandboxState::stopped;
        return save(ref.id, *sandbox);
    }

    alca::Result<void> remove(const alca::Call&, const alca::SandboxRef& ref, bool) override {
        const auto file = file_of(ref.id);
        if (!file) return alca::fail(file.error());
        std::error_code error;
        fs::remove(*file, error);
        if (error) return alca::fail(file->string() + ": " + error.message());
        return {};
    }

    alca::Result<alca::SandboxStatus> status(const alca::Call&,
                                             const alca::SandboxRef& ref) override {
        auto sandbox = load(ref.id);
        if (!sandbox && sandbox.error().code == alca::Code::not_found) {
            return alca::SandboxStatus{};  // absent
        }
        return sandbox;
    }

    alca::Result<std::vector<alca::SandboxStatus>> list(const alca::Call&) override {
        std::vector<alca::SandboxStatus> sandboxes;
        std::error_code error;
        for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
            if (entry.path().extension() != ".json") continue;
            auto sandbox = load(entry.path().stem());
            if (!sandbox) return alca::fail(sandbox.error());
            sandboxes.push_back(std::move(*sandbox));
        }
        if (error) return alca::fail(directory_.string() + ": " + error.message());
        return sandboxes;
    }

    alca::Result<int> exec(const alca::Call& call, const alca::ExecRequest& request,
                           const alca::Stdio& io) override {
        if (io.tty) {
            return alca::fail(alca::Code::unsupported,
                              "the sample runtime has no terminals; redirect the input, such as "
                              "with </dev/null");
        }
        const auto sandbox = load(request.sandbox.id);
        if (!sandbox) return alca::fail(sandbox.error());
        if (sandbox->state != alca::SandboxState::running) {
            return alca::fail(alca::Code::not_found, "the sandbox is not running; run alca up");
        }
        if (request.argv.empty()) return alca::fail(alca::Code::invalid, "no command");
        alca::Command command;
        command.argv = request.argv;
        command.argv[0] = host_path(sandbox->effective.mounts, request.argv[0]);
        command.env = sandbox->effective.env;
        for (const auto& [name, value] : request.env) (*command.env)[name] = value;
        if (const char* path = std::getenv("PATH"); path != nullptr) {
            command.env->try_emplace("PATH", path);
        }
        command.cwd = host_path(sandbox->effective.mounts, request.cwd);
        command.in = io.in;
        command.out = io.out;
        command.err = io.err;
        auto child = alca::spawn(command);
        if (child) return child->wait(call.cancel_fd(), kGrace);
        if (child.error().code == alca::Code::not_found) return 127;  // as a shell
        if (child.error().code == alca::Code::denied) return 126;
        return alca::fail(child.error());
    }

  private:
    alca::Result<fs::path> file_of(const std::string& id) const {
        if (id.empty() || id.front() == '.' || id.find('/') != std::string::npos) {
            return alca::fail(alca::Code::invalid, "the sandbox id is not a file name");
        }
        return directory_ / (id + ".json");
    }
    alca::Result<alca::SandboxStatus> load(const std::string& id) const {
        return file_of(id).and_then(read_file).and_then(alca::SandboxStatus::from_json);
    }
    alca::Result<void> save(const std::string& id, const alca::SandboxStatus& sandbox) const {
        const auto file = file_of(id);
        if (!file) return alca::fail(file.error());
        return write_file(*file, alca::dump(alca::Json(sandbox)));
    }

    fs::path directory_;
};

}  // namespace

ALCA_PLUGIN(SampleRuntime)
