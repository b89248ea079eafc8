#include "helpers/shared/tree/unpack.hpp"

#include <cerrno>
#include <cstring>

#include "helpers/shared/tree/path.hpp"

namespace alca::tree {
namespace {

class Unpacker {
  public:
    Unpacker(ByteSource& source, const UnpackRequest& request, EntrySink& sink, Report& report)
        : reader_(source), request_(request), sink_(sink), report_(report) {}

    [[nodiscard]] Outcome run() {
        Entry entry;
        auto found = reader_.next(entry);
        for (; found != TarReader::Step::end; found = reader_.next(entry)) {
            if (found == TarReader::Step::broken) return broken(reader_.why());
            is_empty_ = false;
            const Step step =
                found == TarReader::Step::damaged ? refuse({}, reader_.why()) : take(entry);
            if (step == Step::stop) return Outcome::broken;
            if (step == Step::failed) is_complete_ = false;
        }
        // An archive of the user's own may be empty; a file that was asked for may not be missing.
        if (is_empty_ && request_.name != ".") return broken("nothing came");
        const Step step = sink_.finish();
        if (step == Step::stop) return Outcome::broken;
        return is_complete_ && step == Step::done ? Outcome::all : Outcome::some;
    }

  private:
    Outcome broken(std::string_view why) {
        report_.failed({}, why);
        return Outcome::broken;
    }
    Step refuse(std::string_view path, std::string_view why) {
        report_.failed(path, why);
        return Step::failed;
    }

    Step take(const Entry& raw) {
        Entry entry = raw;
        const char* fault = map(raw.path, path_);
        if (fault != nullptr) return refuse(raw.path, fault);
        entry.path = path_.view();
        const bool is_top = entry.path.size() == request_.top.size();
        if (is_top && request_.must_be_directory && entry.kind != Kind::directory) {
            static_cast<void>(refuse(raw.path, "there is no directory to put it into"));
            return Step::stop;
        }
        if (entry.path.empty() && entry.kind != Kind::directory) {
            return refuse(raw.path, std::strerror(EISDIR));
        }
        if (entry.lost_bits) report_.lost_bits(raw.path);
        return hand_on(entry, raw);
    }

    Step hand_on(Entry& entry, const Entry& raw) {
        switch (entry.kind) {
            case Kind::directory:
                return sink_.add_directory(entry);
            case Kind::file:
                return sink_.add_file(entry, reader_);
            case Kind::link:
                return sink_.add_link(entry);
            case Kind::hard_link:
                if (!request_.takes_hard_links) break;
                if (const char* fault = map(raw.target, target_); fault != nullptr) {
                    return refuse(raw.path, fault);
                }
                entry.target = target_.view();
                return sink_.add_hard_link(entry);
            case Kind::other:
                break;
        }
        return refuse(raw.path, "neither a file nor a directory nor a symbolic link");
    }

    // The path in the sink for one in the stream. nullptr, or why it is refused.
    const char* map(std::string_view name, Path& path) {
        constexpr const char* kOutside = "its name leads out of what is copied";
        if (name.empty() || name.front() == '/') return kOutside;
        if (!path.set(request_.top)) return std::strerror(ENAMETOOLONG);
        bool is_at_start = request_.name != ".";
        bool is_inside = !is_at_start;
        for (auto part = take_name(name); !part.empty(); part = take_name(name)) {
            if (part == ".") continue;
            if (part == "..") return kOutside;
            if (is_at_start) {
                if (part != request_.name) return kOutside;
                is_at_start = false;
                is_inside = true;
                continue;
            }
            if (!path.push(part)) return std::strerror(ENAMETOOLONG);
        }
        return is_inside ? nullptr : kOutside;
    }

    TarReader reader_;
    const UnpackRequest& request_;
    EntrySink& sink_;
    Report& report_;
    Path path_;
    Path target_;
    bool is_complete_ = true;
    bool is_empty_ = true;
};

}  // namespace

Outcome unpack(ByteSource& source, const UnpackRequest& request, EntrySink& sink, Report& report) {
    return Unpacker(source, request, sink, report).run();
}

}  // namespace alca::tree
