#include "job_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "files.hpp"
#include "job_record.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxPartBytes = std::size_t{16} << 20;
constexpr useconds_t kRoundUs = 100'000;

Text log_name(std::string_view job) {
    Text name;
    name.set({job, ".log"});
    return name;
}

Text old_log_name(std::string_view job) {
    Text name;
    name.set({job, ".log.1"});
    return name;
}

Fd open_log(int jobs, const Text& name) {
    Fd file = open_at(jobs, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat info{};
    if (file.is_open() && (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))) file.close();
    return file;
}

bool is_same_file(int one, int other) {
    struct stat first{};
    struct stat second{};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

// What has been added. False: nobody reads any more.
bool copy_new(int file) {
    std::array<char, 16384> buffer{};
    while (true) {
        const ssize_t count = ::read(file, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return true;
        if (!write_all(STDOUT_FILENO, {buffer.data(), static_cast<std::size_t>(count)}))
            return false;
    }
}

// Whether the job `record` was opened for still runs; another of the same name does not count.
bool still_runs(int jobs, std::string_view name, const JobRecord& record) {
    Text fault;
    const auto current = open_record(jobs, name, fault);
    return current && current->is_kept && is_same_file(current->file.get(), record.file.get());
}

void follow(int jobs, std::string_view name, const JobRecord& record, Fd file) {
    while (true) {
        // Asked first: what comes after the answer is read all the same.
        const bool runs = still_runs(jobs, name, record);
        if (!copy_new(file.get())) return;
        if (!runs) return;
        // A new file takes the place of one that is full.
        Fd current = open_log(jobs, log_name(name));
        if (current.is_open() && !is_same_file(current.get(), file.get())) {
            if (!copy_new(file.get())) return;
            file = static_cast<Fd&&>(current);
            continue;
        }
        ::usleep(kRoundUs);
    }
}

}  // namespace

bool JobLog::create() {
    for (const Text& name : {log_name(name_.view()), old_log_name(name_.view())})
        ::unlinkat(jobs_, name.c_str(), 0);
    file_ = open_at(jobs_, log_name(name_.view()).c_str(),
                    O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    size_ = 0;
    return file_.is_open();
}

void JobLog::write(std::string_view bytes) {
    if (size_ >= kMaxBytes) {
        ::renameat(jobs_, log_name(name_.view()).c_str(), jobs_,
                   old_log_name(name_.view()).c_str());
        Fd next = open_at(jobs_, log_name(name_.view()).c_str(),
                          O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
        // Without a new one the old one must not grow for ever.
        file_ = static_cast<Fd&&>(next);
        size_ = 0;
    }
    if (!file_.is_open()) return;
    if (write_all(file_.get(), bytes)) size_ += bytes.size();
}

std::string_view last_lines(std::string_view text, std::uint64_t lines) {
    if (lines == 0) return {};
    std::size_t start = text.size();
    // The newline that ends the last line begins none.
    if (start > 0 && text[start - 1] == '\n') --start;
    while (start > 0) {
        const std::size_t newline = text.rfind('\n', start - 1);
        if (newline == std::string_view::npos) return text;
        if (--lines == 0) return text.substr(newline + 1);
        start = newline;
    }
    return text;
}

bool print_log(int jobs, std::string_view name, const LogWish& wish, Text& fault) {
    const auto record = open_record(jobs, name, fault);
    if (!record) return false;
    Fd file = open_log(jobs, log_name(name));
    if (!file.is_open()) {
        fault.set({"the log of job ", name, " cannot be read: ", describe_error(errno).view()});
        return false;
    }
    Bytes text;
    const Fd old = open_log(jobs, old_log_name(name));
    // Not the same twice, when it was full just between the two looks.
    if (old.is_open() && !is_same_file(old.get(), file.get()) &&
        !read_all(old.get(), kMaxPartBytes, text))
        text = Bytes();
    if (!read_all(file.get(), kMaxPartBytes, text)) {
        fault.set({"the log of job ", name, " cannot be read: ", describe_error(errno).view()});
        return false;
    }
    std::string_view shown = text.view();
    if (wish.lines != LogWish::kAll) shown = last_lines(shown, wish.lines);
    if (!write_all(STDOUT_FILENO, shown)) return true;  // nobody reads it any more
    text = Bytes();
    if (wish.follow) follow(jobs, name, *record, static_cast<Fd&&>(file));
    return true;
}

}  // namespace alca::init
