#include "job_record.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "children.hpp"
#include "files.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMaxRecordBytes = 4096;
constexpr int kMaxSameName = 999;
constexpr Milliseconds kLockPatience{5000};
constexpr useconds_t kLockPauseUs = 10'000;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Text file_name(std::string_view job, std::string_view suffix) {
    Text name;
    name.set({job, suffix});
    return name;
}

bool is_locked(int record) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return ::fcntl(record, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool lock_record(int record) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return ::fcntl(record, F_OFD_SETLK, &lock) == 0;
}

// Of two jobs that start at once under one name the second finds the first one's record locked.
// Others inside can hold the lock, so nobody waits for ever.
bool lock_directory(int jobs) {
    const Milliseconds end = now() + kLockPatience;
    while (::flock(jobs, LOCK_EX | LOCK_NB) != 0) {
        if (now() >= end) return false;
        ::usleep(kLockPauseUs);
    }
    return true;
}

bool exists(int jobs, std::string_view name) {
    struct stat info{};
    return ::fstatat(jobs, file_name(name, ".job").c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

// "server" of "/usr/bin/server --port 1".
std::string_view program_of(std::string_view command) {
    std::string_view word = command.substr(0, command.find(' '));
    if (const std::size_t slash = word.rfind('/'); slash != std::string_view::npos)
        word.remove_prefix(slash + 1);
    return is_job_name(word) && word.size() + 4 <= kMaxNameBytes ? word : "job";
}

// An ended job keeps its name until somebody asks for that very name: its log may still be wanted.
bool choose_name(int jobs, std::string_view command, Text& name) {
    const std::string_view program = program_of(command);
    name.set({program});
    for (int number = 2; exists(jobs, name.view()); ++number) {
        if (number > kMaxSameName) return false;
        name.set({program, "-", Number(static_cast<std::uint64_t>(number)).view()});
    }
    return true;
}

bool has_room(int jobs) {
    Fd copy(::openat(jobs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy.is_open() ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr) return false;
    static_cast<void>(copy.release());
    std::size_t count = 0;
    while (const dirent* entry = ::readdir(stream)) {
        if (std::string_view(static_cast<const char*>(entry->d_name)).ends_with(".job")) ++count;
    }
    ::closedir(stream);
    return count < kMaxJobs;
}

// Makes room for a job of this name. False: one is running, or it is somebody else's.
bool clear_name(int jobs, std::string_view name, Text& fault) {
    if (!exists(jobs, name)) return true;
    Text reason;
    const auto old = open_record(jobs, name, reason);
    if (old && old->is_kept) {
        fault.set({"a job ", name, " is running; end it (alca kill ", name,
                   ") or choose another --name"});
        return false;
    }
    remove_job(jobs, name);
    if (!exists(jobs, name)) return true;
    fault.set({"there is a job ", name, " of another user; choose another --name"});
    return false;
}

}  // namespace

bool is_job_name(std::string_view name) {
    if (name.empty() || name.size() > kMaxNameBytes) return false;
    if (!is_letter_or_digit(name.front()) && name.front() != '_') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
    });
}

Fd open_jobs(const char* path, Text& fault) {
    Fd jobs(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!jobs.is_open())
        fault.set(
            {path, ": ", describe_error(errno).view(), "; make it again: alca down && alca up"});
    return jobs;
}

std::optional<JobRecord> open_record(int jobs, std::string_view name, Text& fault) {
    JobRecord record;
    record.file =
        open_at(jobs, file_name(name, ".job").c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat info{};
    if (!record.file.is_open() && errno == ENOENT) {
        fault.set({"no job ", name, "; see: alca ps -a"});
        return std::nullopt;
    }
    if (!record.file.is_open() || ::fstat(record.file.get(), &info) != 0 ||
        !S_ISREG(info.st_mode) || !read_all(record.file.get(), kMaxRecordBytes, record.text)) {
        fault.set({"the record of job ", name, " cannot be read"});
        return std::nullopt;
    }
    record.uid = info.st_uid;
    record.gid = info.st_gid;
    record.is_kept = is_locked(record.file.get());
    return record;
}

std::string_view record_value(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ')
            continue;
        return line.substr(key.size() + 1);
    }
    return {};
}

Fd create_record(int jobs, std::string_view command, Text& name, Text& fault) {
    if (!lock_directory(jobs)) {
        fault.set({"somebody else holds the directory of the jobs; try again"});
        return Fd();
    }
    Fd record;
    if ((name.view().empty() || !exists(jobs, name.view())) && !has_room(jobs)) {
        fault.set(
            {"there are ", Number(kMaxJobs).view(), " jobs; use the --name of one that has ended"});
    } else if (name.view().empty() && !choose_name(jobs, command, name)) {
        fault.set({"there are too many jobs of this program; give it a --name"});
    } else if (clear_name(jobs, name.view(), fault)) {
        record = open_at(jobs, file_name(name.view(), ".job").c_str(),
                         O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
        if (!record.is_open() || !lock_record(record.get())) {
            fault.set({"cannot note the job: ", describe_error(errno).view()});
            if (record.is_open()) remove_job(jobs, name.view());
            record.close();
        }
    }
    ::flock(jobs, LOCK_UN);
    return record;
}

bool write_start(int record, std::string_view command) {
    Text text;
    text.set({"keeper ", Number(static_cast<std::uint64_t>(::getpid())).view(), "\nstarted ",
              Number(static_cast<std::uint64_t>(::time(nullptr))).view(), "\ncommand ", command,
              "\n"});
    return write_all(record, text.view());
}

void write_exit(int record, int code) {
    Text text;
    text.set({"exit ", Number(static_cast<std::uint64_t>(code)).view(), " ",
              Number(static_cast<std::uint64_t>(::time(nullptr))).view(), "\n"});
    static_cast<void>(write_all(record, text.view()));
}

void remove_job(int jobs, std::string_view name) {
    for (const std::string_view suffix : {".job", ".log", ".log.1"})
        ::unlinkat(jobs, file_name(name, suffix).c_str(), 0);
}

}  // namespace alca::init
