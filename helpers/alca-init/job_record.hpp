#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "bytes.hpp"
#include "fd.hpp"
#include "text.hpp"

namespace alca::init {

// A command of `alca run -d` is a job: NAME.job says what it is, NAME.log holds its output. Both
// lie in one directory, where every user of the sandbox may have files and nobody else's (sticky).
// A record is locked for as long as the job's keeper lives, so that its number can be believed.

inline constexpr std::size_t kMaxJobs = 1000;

// Letters, digits, "_", "-" and ".", no "." or "-" first, 1 to 63 of them.
[[nodiscard]] bool is_job_name(std::string_view name);

// Not a link. Not open: `fault` says why.
[[nodiscard]] Fd open_jobs(const char* path, Text& fault);

struct JobRecord {
    Fd file;      // read-only
    uid_t uid{};  // whose file it is, so whose job
    gid_t gid{};
    bool is_kept = false;  // its keeper lives
    Bytes text;            // the lines below; written by the job's user
};

// Not there, or none of ours: nullopt, and `fault` says why.
[[nodiscard]] std::optional<JobRecord> open_record(int jobs, std::string_view name, Text& fault);

// The value of the line "KEY VALUE" in a record; "" without.
//   keeper PID        of the process that takes the job's output
//   started SECONDS   since 1970
//   command TEXT      printable, cut off when long
//   exit CODE SECONDS when the command has ended
[[nodiscard]] std::string_view record_value(std::string_view text, std::string_view key);

// Makes the record of a new job and locks it. `name`: as wished, "" for one that is made from
// `command` and is free; then the one that was taken. A job of the same name that has ended goes.
// Not open: `fault` says why.
[[nodiscard]] Fd create_record(int jobs, std::string_view command, Text& name, Text& fault);
// What the record says of a job that starts now, with this process as its keeper.
[[nodiscard]] bool write_start(int record, std::string_view command);
// Nobody needs to know when it cannot be written: the job is then "lost", which is near the truth.
void write_exit(int record, int code);

// Removes the files of a job of this user's.
void remove_job(int jobs, std::string_view name);

}  // namespace alca::init
