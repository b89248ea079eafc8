#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <regex>
#include <system_error>

#include "alca/presets.hpp"
#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::cli {
namespace {

constexpr const char* kPresetPlugin = "agent-presets";
constexpr std::size_t kMaxGitignoreBytes = std::size_t{1024} * 1024;
constexpr mode_t kReadableByAll = 0644;

struct InitFlags {
    std::string image;
    std::string preset;
};

Result<PresetFiles> from_image(const std::string& image) {
    // What an image reference may hold; so it can stand in quotes as it is.
    static const std::regex kReference(R"([A-Za-z0-9][A-Za-z0-9._:/@-]{0,254})");
    if (!std::regex_match(image, kReference)) {
        return fail(Code::invalid, fmt::format("not an image name: {}", image));
    }
    PresetFiles files;
    files.config = fmt::format(
        "# What this project's sandbox is made of. 'alca help config' lists every key.\n"
        "image = '{}'\n"
        "workdir = '/workspace'\n",
        image);
    files.gitignore = {".alca/", ".alca.local.toml", ".alca.*.local.toml"};
    return files;
}

Result<PresetFiles> from_preset(Session& session, const InitFlags& flags) {
    auto presets = session.loader().presets(session.call(), kPresetPlugin);
    if (!presets) return fail(presets.error());
    return (*presets)->render(session.call(), {.name = flags.preset, .image = flags.image});
}

// Makes the file; one that exists, also as a dangling link, is never touched.
Result<void> write_new(const fs::path& file, std::string_view content) {
    const os::Fd fd(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kReadableByAll));
    if (!fd && errno == EEXIST) {
        return fail(fmt::format("configuration file already exists: {}", file.string()));
    }
    if (!fd) return fail(fmt::format("{}: {}", file.string(), os::errno_text(errno)));
    if (auto written = os::write_all(fd.get(), content); !written) {
        std::error_code ignored;
        fs::remove(file, ignored);
        return fail(written.error(), file.string());
    }
    return {};
}

std::string trimmed(std::string_view line) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return "";
    return std::string(line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1));
}

bool has_line(std::string_view text, const std::string& wanted) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (trimmed(text.substr(0, end)) == wanted) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

// The text with the missing lines added. Errors: a link, whose target is none of the project's
// business (an agent may have left it there).
Result<std::string> extended_gitignore(const fs::path& file,
                                       const std::vector<std::string>& lines) {
    std::error_code ignored;
    if (fs::is_symlink(file, ignored)) {
        return fail(Code::invalid, fmt::format("{} is a symlink; replace it by a file, then run "
                                               "alca init again",
                                               file.string()));
    }
    auto text = os::read_file(file, kMaxGitignoreBytes, os::Follow::no);
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    std::string content = text ? std::move(*text) : "";
    for (const std::string& line : lines) {
        if (has_line(content, line)) continue;
        if (!content.empty() && content.back() != '\n') content.push_back('\n');
        content += line + "\n";
    }
    return content;
}

Result<void> write_gitignore(const fs::path& file, const std::string& content) {
    if (os::read_file(file, kMaxGitignoreBytes, os::Follow::no).value_or("") == content) return {};
    return os::write_file_atomic(file, content, kReadableByAll);
}

int init(Program& program, const InitFlags& flags) {
    Session session(program, /*quiet=*/false, /*cancel_fd=*/-1);
    std::error_code error;
    const fs::path directory = fs::current_path(error);
    if (error) return report({Code::failed, "the current directory is gone"});
    if (flags.preset.empty() && flags.image.empty()) {
        return report({Code::invalid,
                       "say what the sandbox is made of: alca init --preset claude, or alca init "
                       "--image debian:12"});
    }
    const auto files = flags.preset.empty() ? from_image(flags.image) : from_preset(session, flags);
    if (!files) return report(files.error());
    const fs::path file = directory / project::kConfigFile;
    const fs::path gitignore = directory / ".gitignore";
    // Read before anything is written, so that an init that cannot be finished leaves nothing.
    const auto ignored_names = extended_gitignore(gitignore, files->gitignore);
    if (!ignored_names) return report(ignored_names.error());
    if (auto written = write_new(file, files->config); !written) return report(written.error());
    if (auto written = write_gitignore(gitignore, *ignored_names); !written) {
        return report(written.error());
    }
    session.console().success(fmt::format("Created {}", file.string()));
    for (const std::string& note : files->notes) session.console().notice(note);
    session.console().notice("Edit it to your needs, then run: alca up");
    return exit_ok;
}

}  // namespace

void add_init(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("init", "Write .alca.toml for the current directory");
    auto flags = std::make_shared<InitFlags>();
    command->add_option("--image", flags->image, "The image that the sandbox is made from");
    command->add_option("--preset", flags->preset, "A ready configuration for an agent: claude");
    command->footer(
        "Examples:\n"
        "  alca init --preset claude\n"
        "  alca init --preset claude --image my-base   the preset on an image of yours\n"
        "  alca init --image debian:12");
    command->callback([&program, flags] {
        program.command = [&program, flags] { return init(program, *flags); };
    });
}

}  // namespace alca::cli
